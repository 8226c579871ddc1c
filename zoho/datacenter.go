package zoho

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
)

// DataCenter is one of Zoho's data centers, in one of its environments.
type DataCenter struct {
	Name        string // the location code of Zoho's redirects, in capitals
	AccountsURL string // the server that logs in and refreshes
	APIDomain   string // where the tokens are good
}

// The data centers in production. Hosts are those of the data center classes of Zoho's CRM SDK for Python 8.0 (6.0.0); UK
// and AE are not in it: the accounts host of UK is in Zoho's "Multi DC support" (zoho.com/accounts/protocol/oauth/multi-dc.html),
// the API host of AE in WorkDrive's, and the other two in public clients.
var (
	US = DataCenter{"US", "https://accounts.zoho.com", "https://www.zohoapis.com"}
	EU = DataCenter{"EU", "https://accounts.zoho.eu", "https://www.zohoapis.eu"}
	IN = DataCenter{"IN", "https://accounts.zoho.in", "https://www.zohoapis.in"}
	CN = DataCenter{"CN", "https://accounts.zoho.com.cn", "https://www.zohoapis.com.cn"}
	AU = DataCenter{"AU", "https://accounts.zoho.com.au", "https://www.zohoapis.com.au"}
	JP = DataCenter{"JP", "https://accounts.zoho.jp", "https://www.zohoapis.jp"}
	CA = DataCenter{"CA", "https://accounts.zohocloud.ca", "https://www.zohoapis.ca"}
	SA = DataCenter{"SA", "https://accounts.zoho.sa", "https://www.zohoapis.sa"}
	UK = DataCenter{"UK", "https://accounts.zoho.uk", "https://www.zohoapis.uk"}
	AE = DataCenter{"AE", "https://accounts.zoho.ae", "https://www.zohoapis.ae"}
)

// known is a copy, so that nobody makes a server trusted by writing to the variables above.
var known = []DataCenter{US, EU, IN, CN, AU, JP, CA, SA, UK, AE}

// DataCenters returns the data centers that this package knows, in production.
func DataCenters() []DataCenter { return slices.Clone(known) }

// Sandbox returns the data center with the API domain of its sandboxes, such as https://sandbox.zohoapis.eu. The accounts
// server is the same; a token of a sandbox is none in production. The API domain of a data center that has no
// https://www. in front is unknown then, and empty.
func (d DataCenter) Sandbox() DataCenter { return d.environment("sandbox") }

// Developer returns the data center with the API domain of its developer organisations, as Sandbox does.
func (d DataCenter) Developer() DataCenter { return d.environment("developer") }

func (d DataCenter) environment(name string) DataCenter {
	rest, ok := strings.CutPrefix(d.APIDomain, "https://www.")
	d.APIDomain = ""
	if ok {
		d.APIDomain = "https://" + name + "." + rest
	}
	return d
}

// DataCenterByAPIDomain returns the known data center with this API domain, be it of production, sandbox or developer.
func DataCenterByAPIDomain(domain string) (DataCenter, bool) {
	domain, err := origin(domain)
	if err != nil {
		return DataCenter{}, false
	}
	for _, d := range known {
		for _, d := range []DataCenter{d, d.Sandbox(), d.Developer()} {
			if d.APIDomain == domain {
				return d, true
			}
		}
	}
	return DataCenter{}, false
}

// DataCenterByLocation returns the known data center with this location code, such as eu, in production. Case does not
// matter.
func DataCenterByLocation(code string) (DataCenter, bool) {
	for _, d := range known {
		if strings.EqualFold(d.Name, code) {
			return d, true
		}
	}
	return DataCenter{}, false
}

// DataCenterByAccountsURL returns the known data center with this accounts server, in production. The URL must be https
// and name exactly the host: no port, user or path, so that it can be used on what an attacker may have written, such
// as the accounts-server of a redirect.
func DataCenterByAccountsURL(accountsURL string) (DataCenter, bool) {
	server, err := origin(accountsURL)
	if err != nil {
		return DataCenter{}, false
	}
	for _, d := range known {
		if d.AccountsURL == server {
			return d, true
		}
	}
	return DataCenter{}, false
}

var errOrigin = errors.New("it must be https://HOST, without user, path or parameters (http for this machine only)")

// origin returns scheme and host of a URL that has nothing else, in lower case. Plain HTTP is for servers on this
// machine: credentials go to it. No error repeats the URL.
func origin(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || u.User != nil ||
		u.Path != "" && u.Path != "/" || strings.ContainsAny(s, "?#") {
		return "", errOrigin
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return "", errOrigin
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
