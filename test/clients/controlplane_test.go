package clients_test

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	clusterpb "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corepb "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointpb "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerpb "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routepb "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	routerpb "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	connectionpb "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	discoverypb "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	matcherpb "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// controlPlane tells the clients of a mesh where to go, by xDS, as istiod tells
// them of a VirtualService with the destinations blue and green.
type controlPlane struct {
	discoverypb.UnimplementedAggregatedDiscoveryServiceServer

	t       *testing.T
	address string

	mutex   sync.Mutex
	version int
	routes  []*routepb.Route
	// servers are the addresses of each side.
	servers map[string][]string
	// changed wakes the streams.
	changed map[chan struct{}]bool
}

// The sides, as a control plane calls them.
const blueSide, greenSide = "blue", "green"

func newControlPlane(t *testing.T, servers map[string][]string) *controlPlane {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plane := &controlPlane{t: t, address: listener.Addr().String(), servers: servers, changed: map[chan struct{}]bool{}}
	server := grpc.NewServer()
	discoverypb.RegisterAggregatedDiscoveryServiceServer(server, plane)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return plane
}

// url is that of the method of a callServer.
func (c *controlPlane) url() string { return "xds://" + c.address + "/shop:80/shop.Shop/Ask" }

// shares gives the sides weights. One without any is left out, as istiod does.
// Rules that only calls with a header take may stand before.
func (c *controlPlane) shares(blue, green uint32, before ...*routepb.Route) {
	weighted := &routepb.WeightedCluster{}
	for side, weight := range map[string]uint32{blueSide: blue, greenSide: green} {
		if weight > 0 {
			weighted.Clusters = append(weighted.Clusters, &routepb.WeightedCluster_ClusterWeight{Name: side, Weight: wrapperspb.UInt32(weight)})
		}
	}
	rest := &routepb.Route{Match: anyPath(), Action: &routepb.Route_Route{Route: &routepb.RouteAction{
		ClusterSpecifier: &routepb.RouteAction_WeightedClusters{WeightedClusters: weighted},
	}}}
	c.change(func() { c.routes = append(slices.Clone(before), rest) })
}

// serves makes servers those of a side.
func (c *controlPlane) serves(side string, servers ...string) {
	c.change(func() { c.servers[side] = servers })
}

func (c *controlPlane) change(change func()) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	change()
	c.version++
	for wake := range c.changed {
		select {
		case wake <- struct{}{}:
		default: // it has not looked since
		}
	}
}

// byHeader is a rule for the calls that ask for a side.
func byHeader(side string) *routepb.Route {
	match := anyPath()
	match.Headers = []*routepb.HeaderMatcher{{Name: "x-side", HeaderMatchSpecifier: &routepb.HeaderMatcher_StringMatch{
		StringMatch: &matcherpb.StringMatcher{MatchPattern: &matcherpb.StringMatcher_Exact{Exact: side}},
	}}}
	return &routepb.Route{Match: match, Action: &routepb.Route_Route{Route: &routepb.RouteAction{ClusterSpecifier: &routepb.RouteAction_Cluster{Cluster: side}}}}
}

func anyPath() *routepb.RouteMatch {
	return &routepb.RouteMatch{PathSpecifier: &routepb.RouteMatch_Prefix{Prefix: "/"}}
}

// The kinds of resources, in the order in which changes of them are told.
const (
	clusterType  = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
	endpointType = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
	listenerType = "type.googleapis.com/envoy.config.listener.v3.Listener"
	routeType    = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
)

// StreamAggregatedResources implements the service: it answers what is asked for,
// and tells all of it again after each change.
func (c *controlPlane) StreamAggregatedResources(stream discoverypb.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	wake, requests := make(chan struct{}, 1), make(chan *discoverypb.DiscoveryRequest)
	c.mutex.Lock()
	c.changed[wake] = true
	c.mutex.Unlock()
	defer func() {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		delete(c.changed, wake)
	}()
	go func() {
		for {
			request, err := stream.Recv()
			if err != nil {
				return
			}
			select {
			case requests <- request:
			case <-stream.Context().Done():
				return
			}
		}
	}()
	asked, told := map[string][]string{}, 0
	tell := func(kind string) error {
		if len(asked[kind]) == 0 {
			return nil
		}
		told++
		return stream.Send(c.answer(kind, asked[kind], strconv.Itoa(told)))
	}
	for {
		select {
		case <-stream.Context().Done():
			return nil
		case request := <-requests:
			// A client that ends answers what it was told last with that.
			if refusal := request.GetErrorDetail(); refusal != nil && !strings.Contains(refusal.GetMessage(), "xdsChannel is closed") {
				c.t.Errorf("the client refuses %s: %s", request.GetTypeUrl(), request.GetErrorDetail().GetMessage())
			}
			names := slices.Sorted(slices.Values(request.GetResourceNames()))
			known := slices.Equal(names, asked[request.GetTypeUrl()])
			asked[request.GetTypeUrl()] = names
			if request.GetResponseNonce() != "" && known {
				continue // it has taken what it was told
			}
			if err := tell(request.GetTypeUrl()); err != nil {
				return err
			}
		case <-wake:
			for _, kind := range []string{clusterType, endpointType, listenerType, routeType} {
				if err := tell(kind); err != nil {
					return err
				}
			}
		}
	}
}

// answer holds the resources of a kind with some names.
func (c *controlPlane) answer(kind string, names []string, nonce string) *discoverypb.DiscoveryResponse {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	response := &discoverypb.DiscoveryResponse{VersionInfo: strconv.Itoa(c.version), TypeUrl: kind, Nonce: nonce}
	if kind == clusterType {
		// All of them: one that is missing has been removed, and who asks for it
		// while the others are told would take it for that.
		names = []string{blueSide, greenSide}
	}
	for _, name := range names {
		var resource proto.Message
		switch kind {
		case clusterType:
			resource = &clusterpb.Cluster{Name: name, ClusterDiscoveryType: &clusterpb.Cluster_Type{Type: clusterpb.Cluster_EDS}, EdsClusterConfig: &clusterpb.Cluster_EdsClusterConfig{EdsConfig: here()}}
		case endpointType:
			resource = c.endpoints(name)
		case listenerType:
			resource = &listenerpb.Listener{Name: name, ApiListener: &listenerpb.ApiListener{ApiListener: c.packed(&connectionpb.HttpConnectionManager{
				RouteSpecifier: &connectionpb.HttpConnectionManager_Rds{Rds: &connectionpb.Rds{ConfigSource: here(), RouteConfigName: "shop"}},
				HttpFilters:    []*connectionpb.HttpFilter{{Name: "router", ConfigType: &connectionpb.HttpFilter_TypedConfig{TypedConfig: c.packed(&routerpb.Router{})}}},
			})}}
		case routeType:
			resource = &routepb.RouteConfiguration{Name: name, VirtualHosts: []*routepb.VirtualHost{{Name: "shop", Domains: []string{"*"}, Routes: c.routes}}}
		}
		response.Resources = append(response.Resources, c.packed(resource))
	}
	return response
}

// endpoints are the servers of a side; there may be none.
func (c *controlPlane) endpoints(side string) *endpointpb.ClusterLoadAssignment {
	found := &endpointpb.ClusterLoadAssignment{ClusterName: side}
	if len(c.servers[side]) == 0 {
		return found
	}
	near := &endpointpb.LocalityLbEndpoints{Locality: &corepb.Locality{Region: "here"}, LoadBalancingWeight: wrapperspb.UInt32(1)}
	for _, server := range c.servers[side] {
		host, port := c.split(server)
		near.LbEndpoints = append(near.LbEndpoints, &endpointpb.LbEndpoint{HostIdentifier: &endpointpb.LbEndpoint_Endpoint{Endpoint: &endpointpb.Endpoint{
			Address: &corepb.Address{Address: &corepb.Address_SocketAddress{SocketAddress: &corepb.SocketAddress{
				Address: host, PortSpecifier: &corepb.SocketAddress_PortValue{PortValue: port},
			}}},
		}}})
	}
	found.Endpoints = append(found.Endpoints, near)
	return found
}

// split is the address of a callServer.
func (c *controlPlane) split(server string) (host string, port uint32) {
	parsed, err := url.Parse(server)
	if err == nil {
		_, err = fmt.Sscan(parsed.Port(), &port)
	}
	if err != nil {
		c.t.Errorf("read address of a server: %v", err)
	}
	return parsed.Hostname(), port
}

func (c *controlPlane) packed(message proto.Message) *anypb.Any {
	found, err := anypb.New(message)
	if err != nil {
		c.t.Errorf("write xDS: %v", err)
	}
	return found
}

// here is where everything else is asked: by the same stream.
func here() *corepb.ConfigSource {
	return &corepb.ConfigSource{ResourceApiVersion: corepb.ApiVersion_V3, ConfigSourceSpecifier: &corepb.ConfigSource_Ads{Ads: &corepb.AggregatedConfigSource{}}}
}
