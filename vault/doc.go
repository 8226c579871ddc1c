// Package vault keeps tokens in HashiCorp Vault or OpenBao, in a KV engine of version 2.
//
//	client, err := api.NewClient(nil) // VAULT_ADDR, VAULT_TOKEN, VAULT_NAMESPACE
//	if err != nil {
//		return err
//	}
//	store, err := vault.NewStore(client, vault.Options{Prefix: "crm/prod"})
//
// Each token is a secret of its own, secret/crm/prod/t_…, beside the index, secret/crm/prod/i_r…. A secret has one field,
// payload: JSON that a person can read. Any number of processes may share a prefix, as every write is a check-and-set.
// Mounts with cas_required are fine, and better: nobody else can write past that check then.
//
// # Authentication
//
// It is the client's affair. Every call has the token that the client has at that moment, so SetToken is all that it takes
// to replace one, at any time:
//
//   - A token: VAULT_TOKEN, or client.SetToken.
//   - AppRole: package github.com/hashicorp/vault/api/auth/approle, or a write to auth/approle/login. An
//     api.LifetimeWatcher renews the token; when its DoneCh answers, with nil too, log in again.
//   - A wrapped secret ID: client.Logical().Unwrap gives the secret ID once. If it fails, somebody else may have it.
//   - Kubernetes, AWS, GCP and others: packages api/auth/kubernetes, api/auth/aws, api/auth/gcp; then client.Auth().Login.
//
// A process that is frozen, as AWS Lambda does, renews nothing: on [tokenkeep.ErrPermission] log in again and try once
// more. The error says whether it is the token or the policy, if the policy allows auth/token/lookup-self as "default" does.
//
// # Policies
//
// [Policy] returns the least one for a job. It has no wildcard but at the end of a name.
//
// # What stays readable
//
// Vault keeps old versions of a secret, 10 by default, and whoever may read the token may read those with ?version=. So
// each put destroys the version it wrote over. Where the policy does not allow that, Options.Logger is told once, and
// max_versions bounds how many stay: set it to 2 on the mount. 1 works, but a put whose reply was lost may then be done
// twice.
//
// Deleting a token destroys all its versions. Its metadata stays, with a name, numbers and times. Delete tokens with this
// package or the command tokenkeep: "vault kv delete" can be undone by anybody with the capability update on undelete/,
// "vault kv metadata delete" begins the version numbers again. A put notices either if it came before the handle's last
// read or write of that token, or more than a minute ago.
//
// # Consistency
//
// Check-and-set is judged by the active node, so a stale read costs a conflict and loses nothing. The performance standbys
// of Vault Enterprise and the standbys of OpenBao 2.5 and later may answer reads with an older state: a token that was just
// saved may not be found, and one that was just deleted may. Set ReadYourWrites on the api.Config of Vault Enterprise, or
// the header X-Vault-Forward: active-node where the server allows it, or an address of the active node.
//
// # Costs
//
// Calls of a handle, without those after a conflict. The first one of a handle is preceded by one that checks the mount.
//
//	read                          1
//	read N secrets                N, up to 8 at once
//	create                        1; 3 over a deleted secret
//	put                           2: the put, and one that destroys the version before; 1 where that is not allowed
//	put, after a minute           3: a read before
//	delete                        3: metadata, a tombstone, and one that destroys; 1 of nothing
//	list the names                1
//
// # Retries and errors
//
// Requests are repeated as the client is set up: by default twice, after 1 to 3 seconds, on 412, 429, 5xx and where no
// answer comes. Every repeated put checks the time after which it may not be sent.
//
// Errors are the values of package tokenkeep, for errors.Is. One about a secret is a *driver.Error with the name of the
// call and of the secret.
//
//	ErrNotFound     no such secret, or it is deleted or destroyed
//	ErrConflict     another writer was faster
//	ErrPermission   a capability that the policy lacks, named with its path, or a token that is not valid any more
//	ErrTooLarge     over Options.MaxPayload, or over what the storage takes
//	ErrInvalid      an option or a name; a mount that is missing, of another engine, or a KV engine of version 1
//	ErrUnavailable  sealed, throttled, failing or out of reach, after the client's retries
package vault
