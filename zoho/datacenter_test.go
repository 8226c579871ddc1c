package zoho

import (
	"strings"
	"testing"
)

func TestDataCentersByAPIDomain(t *testing.T) {
	tests := []struct{ domain, name, accounts string }{
		{"https://www.zohoapis.com", "US", "https://accounts.zoho.com"},
		{"https://www.zohoapis.com/", "US", "https://accounts.zoho.com"},
		{"https://WWW.ZohoAPIs.eu", "EU", "https://accounts.zoho.eu"},
		{"https://sandbox.zohoapis.com.cn", "CN", "https://accounts.zoho.com.cn"},
		{"https://developer.zohoapis.in", "IN", "https://accounts.zoho.in"},
		{"https://www.zohoapis.ca", "CA", "https://accounts.zohocloud.ca"},
		{"https://sandbox.zohoapis.ca", "CA", "https://accounts.zohocloud.ca"},
		{"https://www.zohoapis.ae", "AE", "https://accounts.zoho.ae"},
		{"https://www.zohoapis.sg", "", ""},
		{"https://zohoapis.com", "", ""},
		{"http://www.zohoapis.com", "", ""},
		{"www.zohoapis.com", "", ""},
		{"", "", ""},
	}
	for _, tt := range tests {
		d, ok := DataCenterByAPIDomain(tt.domain)
		if ok != (tt.name != "") || d.Name != tt.name || d.AccountsURL != tt.accounts {
			t.Errorf("DataCenterByAPIDomain(%q) = %+v, %t; want %s with %s", tt.domain, d, ok, tt.name, tt.accounts)
		}
		if want := strings.TrimSuffix(strings.ToLower(tt.domain), "/"); ok && d.APIDomain != want {
			t.Errorf("DataCenterByAPIDomain(%q) has API domain %q; want that of the environment that was asked for", tt.domain, d.APIDomain)
		}
	}
}

func TestOnlyKnownAccountsServersAreDataCenters(t *testing.T) {
	tests := []struct{ url, name string }{
		{"https://accounts.zoho.eu", "EU"},
		{"https://accounts.zoho.eu/", "EU"},
		{"https://ACCOUNTS.zohocloud.ca", "CA"},
		{"http://accounts.zoho.eu", ""},
		{"https://accounts.zoho.eu.evil.example", ""},
		{"https://evil.example/accounts.zoho.eu", ""},
		{"https://accounts.zoho.eu@evil.example", ""},
		{"https://evil.example#accounts.zoho.eu", ""},
		{"https://user:pass@accounts.zoho.eu", ""},
		{"https://accounts.zoho.eu:8443", ""},
		{"https://accounts.zoho.eu:443", ""},
		{"https://accounts.zoho.eu/oauth/v2/token", ""},
		{"https://accounts.zoho.eu?x", ""},
		{"https://accounts.zoho.eu?", ""},
		{"https://accounts.zoho.eu.", ""},
		{`https://accounts.zoho.eu\@evil.example`, ""},
		{"https:accounts.zoho.eu", ""},
		{"//accounts.zoho.eu", ""},
		{"https://accounts.zoho.ca", ""},
		{"https://accounts.zoho.sg", ""},
		{"http://127.0.0.1:80", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if d, ok := DataCenterByAccountsURL(tt.url); ok != (tt.name != "") || d.Name != tt.name {
			t.Errorf("DataCenterByAccountsURL(%q) = %+v, %t; want %q", tt.url, d, ok, tt.name)
		}
	}
}

func TestDataCentersByLocation(t *testing.T) {
	for _, d := range DataCenters() {
		for _, code := range []string{d.Name, strings.ToLower(d.Name)} {
			if got, ok := DataCenterByLocation(code); !ok || got != d {
				t.Errorf("DataCenterByLocation(%q) = %+v, %t; want %+v", code, got, ok, d)
			}
		}
	}
	for _, code := range []string{"", "sg", "u", "https://accounts.zoho.com"} {
		if d, ok := DataCenterByLocation(code); ok {
			t.Errorf("DataCenterByLocation(%q) = %+v; want none", code, d)
		}
	}
}

func TestEnvironmentsShareTheAccountsServer(t *testing.T) {
	if d := EU.Sandbox(); d.AccountsURL != EU.AccountsURL || d.APIDomain != "https://sandbox.zohoapis.eu" {
		t.Errorf("EU.Sandbox() = %+v", d)
	}
	if d := CA.Developer(); d.AccountsURL != CA.AccountsURL || d.APIDomain != "https://developer.zohoapis.ca" {
		t.Errorf("CA.Developer() = %+v", d)
	}
	if d := (DataCenter{"SG", "https://accounts.zoho.sg", "https://api.zoho.sg"}).Sandbox(); d.APIDomain != "" {
		t.Errorf("the sandbox of a domain without www is %q; want none, never production", d.APIDomain)
	}
}

func TestWritingToTheVariablesMakesNoServerTrusted(t *testing.T) {
	DataCenters()[0].AccountsURL = "https://evil.example"
	if _, ok := DataCenterByAccountsURL("https://evil.example"); ok {
		t.Error("a server of somebody else is known")
	}
}
