// Drives DBStore of @zohocrm/nodejs-sdk-8.0: node sdk.mjs PORT DATABASE write|list|find|update|delete [ARGUMENT]. It prints all
// tokens as JSON, after the one that it was to find.
import {DBBuilder} from "@zohocrm/nodejs-sdk-8.0/lib/models/authenticator/store/db_builder.js";
import {OAuthBuilder} from "@zohocrm/nodejs-sdk-8.0/lib/models/authenticator/oauth_builder.js";
import {UserSignature} from "@zohocrm/nodejs-sdk-8.0/lib/routes/user_signature.js";

const [, , port, database, mode, argument] = process.argv;
const store = new DBBuilder().host("127.0.0.1").portNumber(port).databaseName(database).build();
const client = () => new OAuthBuilder().clientId("1000.CLIENT").clientSecret('se"cret');
const user = () => new OAuthBuilder().userSignature(new UserSignature(argument)).build();
const tokens = [];
switch (mode) {
case "write": {
	const ann = client().userSignature(new UserSignature("änn 漢@example.com")).refreshToken("1000.refresh")
		.redirectURL("https://example.com/cb?a=1&b=2").build();
	ann.setAccessToken("1000.access");
	ann.setExpiresIn("1925363289123");
	ann.setAPIDomain("https://www.zohoapis.eu");
	await store.saveToken(ann);
	await store.saveToken(client().grantToken("1000.grant").build());
	await store.saveToken(new OAuthBuilder().accessToken("1000.passing").build());
	break;
}
case "find":
	tokens.push(await store.findToken(user()));
	break;
case "update": {
	const refreshed = user();
	refreshed.setAccessToken("1000.new");
	refreshed.setExpiresIn("1925363289456");
	await store.saveToken(refreshed);
	break;
}
case "delete":
	await store.deleteToken(argument);
}
tokens.push(...await store.getTokens() ?? []);
console.log(JSON.stringify(tokens.map(t => [
	t.getId(), t.getUserSignature()?.getName(), t.getClientId(), t.getClientSecret(), t.getRefreshToken(), t.getAccessToken(),
	t.getGrantToken(), t.getExpiresIn(), t.getRedirectURL(), t.getAPIDomain(),
].map(v => v ?? ""))));
