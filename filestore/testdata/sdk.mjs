// Drives FileStore of @zohocrm/nodejs-sdk-8.0: node sdk.mjs write|read PATH. It prints the tokens of the file as JSON.
import {FileStore} from "@zohocrm/nodejs-sdk-8.0/lib/models/authenticator/store/file_store.js";
import {OAuthBuilder} from "@zohocrm/nodejs-sdk-8.0/lib/models/authenticator/oauth_builder.js";
import {UserSignature} from "@zohocrm/nodejs-sdk-8.0/lib/routes/user_signature.js";

const [, , mode, path] = process.argv;
const store = new FileStore(path);
const client = () => new OAuthBuilder().clientId("1000.CLIENT").clientSecret("secret");
if (mode === "write") {
	const ann = client().userSignature(new UserSignature("ann@example.com")).refreshToken("1000.refresh").redirectURL("https://example.com/cb").build();
	ann.setAccessToken("1000.access");
	ann.setExpiresIn("1925363289123");
	ann.setAPIDomain("https://www.zohoapis.eu");
	await store.saveToken(ann);
	await store.saveToken(client().grantToken("1000.grant").build());
	const passing = new OAuthBuilder().accessToken("1000.passing").build();
	await store.saveToken(passing);
	await store.deleteToken(passing.getId());
}
const tokens = await store.getTokens();
console.log(JSON.stringify(tokens.map(t => [
	t.getId(), t.getUserSignature()?.getName(), t.getClientId(), t.getClientSecret(), t.getRefreshToken(), t.getAccessToken(),
	t.getGrantToken(), t.getExpiresIn(), t.getRedirectURL(), t.getAPIDomain(),
].map(v => v ?? ""))));
