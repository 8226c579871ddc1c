package zoho_test

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/memstore"
	"github.com/tokenkeep/tokenkeep/zoho"
)

// A function with a client and a refresh token in its environment. A store in a secrets manager, such as package awssm's, makes
// all instances share one access token.
func ExampleNewClient() {
	ctx, store := context.Background(), memstore.New()
	client, err := zoho.NewClient(ctx, store, tokenkeep.Token{
		ClientID:     os.Getenv("ZOHO_CLIENT_ID"),
		ClientSecret: os.Getenv("ZOHO_CLIENT_SECRET"),
		RefreshToken: os.Getenv("ZOHO_REFRESH_TOKEN"),
		APIDomain:    zoho.EU.APIDomain,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.Get(zoho.EU.APIDomain + "/crm/v8/Leads?fields=Last_Name")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	_, _ = io.Copy(os.Stdout, resp.Body)
}

// A command that lets a person log in. The redirect URL has to be registered for the client at api-console.zoho.com.
func ExampleLogin() {
	token, err := zoho.Login(context.Background(), memstore.New(), zoho.LoginOptions{
		ClientID:     os.Getenv("ZOHO_CLIENT_ID"),
		ClientSecret: os.Getenv("ZOHO_CLIENT_SECRET"),
		Scopes:       []string{"ZohoCRM.modules.READ", "ZohoCRM.users.READ"},
		RedirectURL:  "http://127.0.0.1:8765/callback",
		OpenBrowser: func(url string) error {
			_, err := fmt.Fprintln(os.Stderr, "open this page in a browser:", url)
			return err
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("logged in as", token.UserName)
}
