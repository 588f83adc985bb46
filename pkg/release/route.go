package release

import "slices"

// DeclaredRoute is one production route that a document declares.
type DeclaredRoute struct {
	// Field is its key under spec.traffic, Name the object's; workers have no
	// object of their own.
	Field, Name string
	// Weighted: it shares requests between the colours' Services by weights.
	Weighted bool
}

// Routes are the kinds of route that are declared above spec.traffic.also, in
// the order of the document's fields. A valid document has exactly one.
func (t Traffic) Routes() []DeclaredRoute {
	var routes []DeclaredRoute
	if t.Service != nil {
		routes = append(routes, DeclaredRoute{Field: "service", Name: t.Service.Name})
	}
	weighted := func(field, name string) {
		routes = append(routes, DeclaredRoute{Field: field, Name: name, Weighted: true})
	}
	for _, kind := range []struct {
		field string
		route *NamedRoute
	}{
		{"httpRoute", t.HTTPRoute}, {"grpcRoute", t.GRPCRoute}, {"traefikService", t.TraefikService},
		{"ingressRoute", t.IngressRoute}, {"routeGroup", t.RouteGroup}, {"skipperIngress", t.SkipperIngress},
		{"httpProxy", t.HTTPProxy}, {"albIngress", t.ALBIngress},
	} {
		if kind.route != nil {
			weighted(kind.field, kind.route.Name)
		}
	}
	for _, kind := range []struct {
		field string
		route *VersionedRoute
	}{{"tcpRoute", t.TCPRoute}, {"tlsRoute", t.TLSRoute}} {
		if kind.route != nil {
			weighted(kind.field, kind.route.Name)
		}
	}
	if t.VirtualService != nil {
		weighted("virtualService", t.VirtualService.Name)
	}
	if t.NginxIngress != nil {
		weighted("nginxIngress", t.NginxIngress.Name)
	}
	if t.Custom != nil {
		weighted("custom", t.Custom.Name)
	}
	if t.Workers != nil {
		routes = append(routes, DeclaredRoute{Field: "workers"})
	}
	return routes
}

// Set are all production routes in the order in which they are moved, each as a
// Traffic that declares it alone.
func (t Traffic) Set() []Traffic {
	alone := t
	alone.Also = nil
	set := []Traffic{alone}
	for _, also := range t.Also {
		set = append(set, also.alone(t))
	}
	return set
}

// alone is a Traffic whose one route is this.
func (r AlsoRoute) alone(of Traffic) Traffic {
	of.Service, of.HTTPRoute, of.GRPCRoute, of.TCPRoute, of.TLSRoute = r.Service, r.HTTPRoute, r.GRPCRoute, r.TCPRoute, r.TLSRoute
	of.VirtualService, of.TraefikService, of.IngressRoute = r.VirtualService, r.TraefikService, r.IngressRoute
	of.RouteGroup, of.HTTPProxy, of.SkipperIngress = r.RouteGroup, r.HTTPProxy, r.SkipperIngress
	of.ALBIngress, of.NginxIngress, of.Custom, of.Also = r.ALBIngress, r.NginxIngress, r.Custom, nil
	of.Workers = nil
	return of
}

// Weighted reports whether every route can give a colour a part of the traffic.
func (t Traffic) Weighted() bool {
	return !slices.ContainsFunc(t.Set(), func(one Traffic) bool { return !one.shares() && !one.Workers.shares() })
}

// shares reports whether both sides may have workers at once.
func (w *WorkersRoute) shares() bool { return w != nil && w.Order != OldFirst }

// NamesServices reports whether any route leads to the colours by their own
// Services.
func (t Traffic) NamesServices() bool { return slices.ContainsFunc(t.Set(), Traffic.shares) }

// shares reports whether the first route shares requests by weights.
func (t Traffic) shares() bool {
	routes := t.Routes()
	return len(routes) > 0 && routes[0].Weighted
}

// Services are the names of the Services whose selectors are switched.
func (t Traffic) Services() []string {
	var names []string
	for _, one := range t.Set() {
		if one.Service != nil {
			names = append(names, one.Service.Name)
		}
	}
	return names
}

// Needs reports whether a production route would be broken without a Service: it
// is that Service, or leads to the colours by their own.
func (t Traffic) Needs(service string) bool {
	routes := t.Services()
	return len(routes) == 0 && t.Workers == nil || t.NamesServices() || slices.Contains(routes, service)
}
