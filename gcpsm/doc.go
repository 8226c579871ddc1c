// Package gcpsm keeps tokens in Google Cloud Secret Manager.
//
//	const location = "projects/my-project/locations/europe-west1"
//	client, err := secretmanager.NewClient(ctx, option.WithEndpoint("secretmanager.europe-west1.rep.googleapis.com:443"))
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	store, err := gcpsm.NewStore(client, location, gcpsm.Options{Prefix: "crm-prod"})
//
// Each token is a secret of its own, crm-prod-t_…, beside the index, crm-prod-i_r…. Any number of processes may share a
// prefix. Make one client for each process, outside of what handles a request.
//
// Prefer regional secrets, in the location of the program: Secret Manager takes 80 writes in a second to one of them, and 2
// to one without a location. The client's endpoint must be that of the location then.
//
// # How a secret is written
//
// A token is the version that the alias "current" stands for. A put adds a version, then moves the alias by an update that
// succeeds only at the etag that was read, then destroys the version before. A secret without that alias is absent, and the
// version "latest" is never read: it may be that of a writer who was too late. So "gcloud secrets versions add" changes
// nothing until somebody moves the alias, and any other change of a secret, such as of a label, makes one put under way
// conflict and begin again.
//
// # Consistency
//
// Google promises strong consistency for the access of a version by its number, right after it was added. Other reads
// usually converge within minutes, and may take hours (Secret Manager documentation, "Data consistency"). What an update
// compares its etag with is "the currently stored" resource (documentation, "Use ETags"). This package assumes that this
// comparison is never late, and that no two states of one secret ID have the same etag. If that holds, no update is lost
// however late reads are, and:
//
//   - Latest never returns what a put has written over and destroyed, or what was deleted, since it reads by number. It may
//     miss a secret that another handle has just created. While the service goes on answering with a state whose version is
//     destroyed it is ErrUnavailable, after five looks.
//   - Get may return an older token, but not one older than the handle itself has written or read.
//   - A put that is sent once more in full, after it took effect, may be told to be a conflict.
//   - A put whose reply was lost may be ErrUnavailable, and have taken effect.
//   - List may be late by hours; Lag says one.
//
// # Permissions
//
// [Policy] returns the least roles for a job. They are custom roles, as no predefined one but the administrator's may update
// a secret. Bind them on the project with their conditions, by name: then a missing secret is ErrNotFound. A principal with
// roles on single secrets gets the same answer for a missing secret as for one that it may not read, so it is ErrPermission
// for a token that is not there, and FindToken and SaveToken fail where they would have looked further. Such a program
// should set Options.NoCreate, and all its secrets must be there: a secret without versions is one that holds no token, and
// ErrNotFound. Changes of roles take minutes.
//
// # Costs
//
// Google bills 6 cents in a month for each version that is enabled or disabled, in each location of user-managed replicas,
// and 3 cents for 10,000 accesses; other calls and destroyed versions cost nothing (Secret Manager pricing). A secret has one
// such version in steady state. A writer that dies between two calls leaves one more until another process writes the
// secret, or Clean is called.
//
// Calls, without those after a conflict. The first number is of those that count for the quota of 90,000 accesses in a
// minute; the others count for 600 reads and 600 writes in a minute, of the whole project (Secret Manager documentation,
// "Quotas and limits").
//
//	                                       access  read  write
//	Get                                    1
//	Latest                                 1       1
//	GetMany of N, up to 8 at once          N       N
//	create                                               3
//	put                                                  3
//	  where another handle wrote before            1
//	  at a revision of Get                 1       1
//	delete                                               1
//	List of N secrets                              ⌈N/100⌉
//	Clean                                          2     1 and 1 for each version, if there are any
//
// A conflict costs a put 1 write and 1 access more.
//
// # Retries and errors
//
// Calls that are throttled or get no answer are repeated up to 8 times, with pauses of 0.1 to 5 seconds, while the context
// has time for it. The retries of the client are not used. Nothing is sent after the time that a put has.
//
// Errors are the values of package tokenkeep, for errors.Is. One about a secret is a *driver.Error with the name of the
// call and of the secret.
//
//	ErrNotFound     no such secret, or it has no current version
//	ErrConflict     another writer was faster
//	ErrPermission   a permission that is missing, which is named, or perhaps the secret is
//	ErrQuota        throttled, after the retries
//	ErrTooLarge     over 64 KiB
//	ErrInvalid      an option or a name, or a parent that is not the endpoint's
//	ErrUnavailable  no answer, after the retries; or a version that is disabled or destroyed
package gcpsm
