package awssm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/internal/mototest"
	"github.com/tokenkeep/tokenkeep/localstack"
)

// motoGuard is moto with IAM. It checks the actions of a policy and not the resources.
func motoGuard(t *testing.T) guard {
	server := mototest.StartIAM(t)
	as := func(t *testing.T, policy []localstack.Statement) aws.Config {
		t.Helper()
		p := awssm.PolicyDocument{Version: "2012-10-17"}
		for _, st := range policy {
			p.Statement = append(p.Statement, awssm.PolicyStatement{Effect: "Allow", Action: st.Actions, Resource: []string{"*"}})
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		key, secret := server.User(t, string(text))
		return ownConnections(t, aws.Config{
			Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
		})
	}
	return guard{as(t, []localstack.Statement{{Actions: []string{"secretsmanager:*"}}}), as}
}

func TestEachJobCanBeDoneWithItsActionsOnMoto(t *testing.T) {
	g, name := motoGuard(t), "with a window and tags" // the one with the most actions
	for _, job := range everyJob {
		for _, duty := range duties {
			may := slices.Contains(duty.jobs, job)
			if !may && job != awssm.JobRead {
				continue // it may lack a resource, not an action
			}
			t.Run(fmt.Sprintf("%s/%s", job, duty.name), func(t *testing.T) {
				o := stores[name]
				o.Prefix = freshPrefix()
				err := duty.do(t, newDesk(t, g, o, permissions(t, job, o)))
				switch {
				case may && err != nil:
					t.Errorf("error %v; want success, as this is part of the job", err)
				case !may && !errors.Is(err, tokenkeep.ErrPermission):
					t.Errorf("error %v; want ErrPermission, as this is not part of the job", err)
				}
			})
		}
	}
}

func TestBothSuitesPassWithTheActionsOfAWriterOnMoto(t *testing.T) {
	o := stores["plain"]
	g := motoGuard(t)
	writer := g.as(t, permissions(t, awssm.JobWrite, awssm.Options{Prefix: "any", RecoveryWindow: o.RecoveryWindow, Tags: o.Tags}))
	g.as = func(*testing.T, []localstack.Statement) aws.Config { return writer }
	t.Parallel() // it mostly waits, and all users are made
	t.Run("driver", func(t *testing.T) { guardedDriver(t, g, o) })
	t.Run("store", func(t *testing.T) { guardedStore(t, g, o) })
}
