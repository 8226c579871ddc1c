// Package doctor examines a store where it is: in the user's own account, on the user's own server. It tries what package
// tokenkeep relies on, gives a verdict for each, and leaves nothing behind.
//
//	for f := range doctor.Secrets(ctx, store.Secrets()) {
//		fmt.Println(f.Verdict, f.Check, f.Detail)
//	}
//
// # What is looked at
//
//	clock           this machine's clock against the manager's: over a minute apart is a failure
//	read            what is not there is not found, by Get, Latest and GetMany
//	read index      the first secret of the index may be read
//	history         a secret may be asked whether it was rolled back, where the manager needs that
//	delete          deleting what is not there succeeds. If it is denied, nothing is written
//	create          a secret is made, and a second one of its name is refused
//	update          a secret is written over at its revision, and at no older or made-up one
//	race            16 writers of one revision: one wins, and what it wrote is what is stored
//	race to create  16 creators of one name: the same
//	fresh reads     8 writes, each read back at once by Latest and GetMany; Get may be late
//	payload, name   what is promised to fit does, and no more
//	list            the names may be listed, with what was just written where lists are never late
//	deleted         a deleted secret is gone, and a write at its revision does not bring it back
//	left behind     nothing is
//	names           names of deleted secrets stay, where the policy does not let them be removed; else there is no such line
//	job …           whether the rights that were found are those of the jobs read, refresh, write and operator
//
// Not tried, since it would change the store: writing the index. A job that can is one that can otherwise.
//
// # What is written
//
// Up to five secrets under the store's own prefix, with random names that the policies of the jobs allow as they allow those
// of tokens, PREFIX/t_x…. The IDs behind these names begin with "tokenkeep doctor". A store that lists its tokens meanwhile
// may report one as foreign. Each is written at most 12 times, the losers of races aside, and deleted in the end.
// No right is needed that the job write does not have; where one is missing, the rest is looked at.
//
// # What it costs
//
// About 80 calls of the driver. Package awssm makes about 130 calls of them, vault 170, and gcpsm 290, of which about 150 are of the
// 600 writes that a project has in a minute. Lists cost a call for each page of names.
package doctor
