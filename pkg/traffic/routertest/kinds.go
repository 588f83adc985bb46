package routertest

// Kinds are all kinds of route with weights that a Release can declare, by the
// fields of spec.traffic; where a kind can be declared in several ways, what
// follows the field says which.
func Kinds() map[string]Kind {
	return map[string]Kind{
		"httpRoute":                 HTTPRoute(),
		"grpcRoute":                 GRPCRoute(),
		"tcpRoute":                  TCPRoute(""),
		"tlsRoute":                  TLSRoute(""),
		"tlsRoute in v1alpha3":      TLSRoute("v1alpha3"),
		"virtualService by hosts":   VirtualService(false),
		"virtualService by subsets": VirtualService(true),
		"traefikService":            TraefikService(),
		"ingressRoute":              IngressRoute(),
		"routeGroup":                RouteGroup(),
		"skipperIngress":            SkipperIngress(),
		"httpProxy":                 HTTPProxy(),
		"albIngress":                ALBIngress(),
		"nginxIngress":              NginxIngress(),
		"custom in numbers":         Custom(false),
		"custom in texts":           Custom(true),
	}
}
