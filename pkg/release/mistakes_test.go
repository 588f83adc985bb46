package release

import "testing"

func TestParseTellsEveryMistake(t *testing.T) {
	for _, m := range []mistake{
		{name: "unknown field", old: "  traffic:\n", new: "  trafic:\n", want: []string{
			"13:3: spec.trafic: unknown field; did you mean \"traffic\"?",
		}},
		{name: "unknown field with nothing near", old: "    service:\n", new: "    balancer:\n", want: []string{
			"14:5: spec.traffic.balancer: unknown field; known here: service, httpRoute, grpcRoute, tcpRoute, tlsRoute, virtualService, traefikService, ingressRoute, routeGroup, httpProxy, skipperIngress, albIngress, nginxIngress, custom, workers, also, steps, watch, drain, deadlines",
			"14:5: spec.traffic.service: is required: it is the route that a shift switches; write service: {name: NAME}, or another kind of route, such as httpRoute",
		}},
		{name: "field of the wrong case", old: "workloads: [deployment/shop-blue]", new: "Workloads: [deployment/shop-blue]", want: []string{
			"8:7: spec.colors.blue.Workloads: unknown field; did you mean \"workloads\"?",
		}},
		{name: "missing name", old: "  name: shop\n", new: "  namespace: shop\n", want: []string{
			"4:3: metadata.name: is required",
		}},
		{name: "empty name", old: "  name: shop\n", new: "  name: \"\"\n", want: []string{
			"4:9: metadata.name: must not be empty",
		}},
		{name: "missing spec", old: "spec:", new: "# spec:", want: []string{
			"1:1: spec: is required",
			"6:3: metadata.colors: unknown field; known here: name, namespace",
			"13:3: metadata.traffic: unknown field; known here: name, namespace",
		}},
		{name: "list instead of text", old: "name: shop\n", new: "name: [shop]\n", want: []string{
			"4:9: metadata.name: expected text, found a list",
		}},
		{name: "number instead of text", old: "{version: green}", new: "{version: 2}", want: []string{
			"12:27: spec.colors.green.selector.version: expected text, found a whole number; put the value in quotes",
		}},
		{name: "mapping instead of list", old: "[deployment/shop-blue]", new: "{deployment: shop-blue}", want: []string{
			"8:18: spec.colors.blue.workloads: expected a list, found a mapping",
		}},
		{name: "an Alertmanager as its siblings are", old: "spec:", new: "spec:\n  metrics: {alertmanager: {service: monitoring/alertmanager:9093}}", want: []string{
			"6:27: spec.metrics.alertmanager: expected text, found a mapping; write the address alone, such as alertmanager: monitoring/alertmanager:9093",
		}},
		{name: "field twice", old: "spec:", new: "metadata: {name: again}\nspec:", want: []string{
			"5:1: metadata: is there twice; keep one of them",
		}},
		{name: "merge key", old: "{version: green}", new: "{<<: {version: green}}", want: []string{
			"12:18: spec.colors.green.selector: merge keys are not read; write the fields out",
		}},
		{name: "bool from yes", document: "full.yaml", old: "disabled: true", new: "disabled: yes", want: []string{
			"60:45: spec.gates.rules[1].disabled: expected true or false, found text",
		}},
		{name: "quoted number", document: "full.yaml", old: "size: 10", new: "size: \"10\"", want: []string{
			"30:39: spec.database[0].pool.size: expected a whole number, found text; write it without quotes",
		}},
		{name: "infinite number", document: "full.yaml", old: "budget: 0.8", new: "budget: .inf", want: []string{
			"31:15: spec.database[0].budget: expected a finite number, found a number",
		}},
		{name: "wrong apiVersion", old: "bluegreen.dev/v1alpha1", new: "bluegreen.dev/v1", want: []string{
			"1:13: apiVersion: \"bluegreen.dev/v1\" is not read here; write apiVersion: bluegreen.dev/v1alpha1",
		}},
		{name: "another kind", old: "kind: Release", new: "kind: Deployment", want: []string{
			"2:7: kind: \"Deployment\" is not read here; write kind: Release",
		}},
		{name: "item of a list is empty", old: "[deployment/shop-blue]", new: "[deployment/shop-blue, ]\n      manifests: [~]", want: []string{
			"9:19: spec.colors.blue.manifests[0]: is empty; remove it",
		}},
		{name: "duration without a unit", document: "full.yaml", old: "watch: 10m", new: "watch: 600", want: []string{
			"20:12: spec.traffic.watch: expected a duration with a unit, found a whole number; write 600s if seconds were meant, 600m for minutes",
		}},
		{name: "bad duration", document: "full.yaml", old: "watch: 10m", new: "watch: 10 minutes", want: []string{
			"20:12: spec.traffic.watch: \"10 minutes\" is not a duration; write a number with a unit, such as 90s, 3m or 1h30m",
		}},
		{name: "negative duration", document: "full.yaml", old: "watch: 10m", new: "watch: -10m", want: []string{
			"20:12: spec.traffic.watch: must not be negative",
		}},
		{name: "zero watch", document: "full.yaml", old: "watch: 10m", new: "watch: 0s", want: []string{
			"20:12: spec.traffic.watch: must be longer than 0s",
		}},
		{name: "duration of a year", document: "full.yaml", old: "total: 15m", new: "total: 8760h", want: []string{
			"22:53: spec.traffic.deadlines.total: must not be longer than 168h",
		}},
		{name: "unknown drain", document: "full.yaml", old: "drain: auto", new: "drain: recylce", want: []string{
			"21:12: spec.traffic.drain: \"recylce\" is not known; did you mean \"recycle\"?",
		}},
		{name: "a drain that is like none", document: "full.yaml", old: "drain: auto", new: "drain: fast", want: []string{
			"21:12: spec.traffic.drain: \"fast\" is not known; known: auto, wait, recycle, none",
		}},
		{name: "unknown profile", document: "full.yaml", old: "profile: weighted", new: "profile: canary", want: []string{
			"56:14: spec.gates.profile: \"canary\" is not known; known: weighted, atomic",
		}},
		{name: "unknown policy", document: "full.yaml", old: "policy: rollback", new: "policy: ignore", want: []string{
			"61:40: spec.gates.sourceDown.policy: \"ignore\" is not known; known: hold, rollback",
		}},
		{name: "unknown failure policy", document: "full.yaml", old: "onFailure: freeze", new: "onFailure: frezee", want: []string{
			"62:16: spec.gates.onFailure: \"frezee\" is not known; did you mean \"freeze\"?",
		}},
		{name: "unknown use of the comparison", document: "full.yaml", old: "onFailure: freeze", new: "relative: rolback", want: []string{
			"62:15: spec.gates.relative: \"rolback\" is not known; did you mean \"rollback\"?",
		}},
		{name: "failure policy that is one of a silent source", document: "full.yaml", old: "onFailure: freeze", new: "onFailure: hold", want: []string{
			"62:16: spec.gates.onFailure: \"hold\" is not known; known: rollback, freeze",
		}},
		{name: "unknown via", document: "full.yaml", old: "via: auto", new: "via: portforward", want: []string{
			"26:14: spec.database[0].observe.via: \"portforward\" is not known; did you mean \"portForward\"?",
		}},
		{name: "suppression without reason and day", document: "full.yaml", old: `{id: BG-COL-09, reason: no drains, until: "2027-02-28"}`, new: `{id: BG-COL-09}`, want: []string{
			"63:23: spec.checks.suppress[0].reason: is required",
			"63:23: spec.checks.suppress[0].until: is required",
		}},
		{name: "suppression for no reason", document: "full.yaml", old: `{id: BG-COL-09, reason: no drains, until: "2027-02-28"}`, new: `{id: BG-COL-09, reason: " ", until: "2027-02-28"}`, want: []string{
			"63:47: spec.checks.suppress[0].reason: must not be empty; say why it may stand, for whoever reads the report",
		}},
		{name: "suppression until no day", document: "full.yaml", old: `{id: BG-COL-09, reason: no drains, until: "2027-02-28"}`, new: `{id: BG-COL-09, reason: x, until: 2027-02-30}`, want: []string{
			"63:57: spec.checks.suppress[0].until: \"2027-02-30\" is not a date; write year-month-day, such as 2027-01-31",
		}},
		{name: "suppression until a year", document: "full.yaml", old: `{id: BG-COL-09, reason: no drains, until: "2027-02-28"}`, new: `{id: BG-COL-09, reason: x, until: 2027}`, want: []string{
			"63:57: spec.checks.suppress[0].until: expected a date, found a whole number; write year-month-day, such as 2027-01-31",
		}},
		{name: "suppression for ever", document: "full.yaml", old: `{id: BG-COL-09, reason: no drains, until: "2027-02-28"}`, new: `{id: BG-COL-09, reason: x, until: ""}`, want: []string{
			"63:57: spec.checks.suppress[0].until: must not be empty",
		}},
		{name: "the same check suppressed twice", document: "full.yaml", old: `{id: BG-COL-09, reason: no drains, until: "2027-02-28"}`, new: `{id: BG-COL-09, reason: x, until: 2027-02-28}, {id: BG-COL-09, reason: y, until: 2027-02-28}`, want: []string{
			"63:75: spec.checks.suppress[1].id: \"BG-COL-09\" is suppressed twice; keep one of them",
		}},
		{name: "unknown require", document: "full.yaml", old: "require: production", new: "require: prod", want: []string{
			"64:12: spec.require: \"prod\" is not known; known: starter, production",
		}},
		{name: "unknown provider", document: "full.yaml", old: "provider: http", new: "provider: opentelemetry", want: []string{
			"50:15: spec.metrics.provider: \"opentelemetry\" is not known; known: http, otel",
		}},
		{name: "one colour", old: "    green:\n      workloads: [deployment/shop-green]\n      selector: {version: green}\n", new: "", want: []string{
			"7:5: spec.colors: a release has exactly two colours, not 1 (\"blue\"); name the slot that is live and the one that is idle, such as blue and green",
		}},
		{name: "three colours", old: "  traffic:", new: "    red: {workloads: [deployment/red], selector: {version: red}}\n  traffic:", want: []string{
			"7:5: spec.colors: a release has exactly two colours, not 3 (\"blue\", \"green\", \"red\"); name the slot that is live and the one that is idle, such as blue and green",
		}},
		{name: "colour's name", old: "    green:", new: "    Green:", want: []string{
			"11:7: spec.colors.Green: \"Green\" is not a valid name of a colour; a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
		}},
		{name: "colour without selector", old: "      selector: {version: green}\n", new: "", want: []string{
			"11:7: spec.colors.green.selector: is required: by it the route tells the colours apart; write selector: {version: green}",
		}},
		{name: "colour without workloads", old: "      workloads: [deployment/shop-green]\n", new: "", want: []string{
			"11:7: spec.colors.green.workloads: is required; write workloads: [deployment/NAME]",
		}},
		{name: "the same selector", old: "{version: green}", new: "{version: blue}", want: []string{
			"12:17: spec.colors.green.selector: is the same as that of blue, so every pod would belong to both colours; give each colour a value of its own",
		}},
		{name: "other keys", old: "{version: green}", new: "{color: green}", want: []string{
			"12:17: spec.colors.green.selector: has the keys \"color\", that of blue has \"version\"; use the same keys in both, with values of their own",
		}},
		{name: "empty label value", old: "{version: green}", new: "{version: \"\"}", want: []string{
			"12:27: spec.colors.green.selector.version: must not be empty; a missing label would match it; give each colour a value",
		}},
		{name: "label key", old: "{version: green}", new: "{-version: green}", want: []string{
			"12:28: spec.colors.green.selector.-version: \"-version\" is not a label's key; name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
		}},
		{name: "unknown workload kind", old: "deployment/shop-green", new: "daemonset/shop-green", want: []string{
			"11:19: spec.colors.green.workloads[0]: \"daemonset/shop-green\" is not a workload; write deployment/NAME or statefulset/NAME",
		}},
		{name: "workload's name", old: "deployment/shop-green", new: "deployment/Shop_green", want: []string{
			"11:19: spec.colors.green.workloads[0]: \"Shop_green\" is not a valid name; a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
		}},
		{name: "shared workload", old: "deployment/shop-green", new: "deploy/shop-blue", want: []string{
			"11:19: spec.colors.green.workloads[0]: deployment/shop-blue is a workload of blue too; each colour has workloads of its own",
		}},
		{name: "shared service", document: "full.yaml", old: "service: svc-green", new: "service: svc-blue", want: []string{
			"15:16: spec.colors.green.service: \"svc-blue\" reaches blue too; a colour's Service selects its pods alone",
		}},
		{name: "production service as direct service", document: "full.yaml", old: "service: svc-green", new: "service: svc-production", want: []string{
			"15:16: spec.colors.green.service: \"svc-production\" is the production Service; a colour's Service reaches it past the production route; leave it out if there is none",
		}},
		{name: "no route", old: "    service:\n      name: shop\n", new: "    drain: auto\n", want: []string{
			"14:5: spec.traffic.service: is required: it is the route that a shift switches; write service: {name: NAME}, or another kind of route, such as httpRoute",
		}},
		{name: "two routes", document: "full.yaml", old: "    steps: [", new: "    httpRoute: {name: shop}\n    steps: [", want: []string{
			"19:16: spec.traffic.httpRoute: stands beside service, and a release has one production route; leave one of them, or move both: write the other under spec.traffic.also",
		}},
		{name: "no further route", document: "full.yaml", old: "    steps: [", new: "    also: []\n    steps: [", want: []string{
			"19:11: spec.traffic.also: has no entry; leave it out where there is one route",
		}},
		{name: "a further route of no kind", document: "full.yaml", old: "    steps: [", new: "    also:\n    - {}\n    steps: [", want: []string{
			"20:7: spec.traffic.also[0]: declares no route; write service: {name: NAME}, or another kind of route, such as httpRoute",
		}},
		{name: "a further route of two kinds", document: "full.yaml", old: "    steps: [", new: "    also:\n    - service: {name: svc-internal}\n      httpRoute: {name: shop}\n    steps: [", want: []string{
			"21:18: spec.traffic.also[0].httpRoute: stands beside service, and an entry is one route; give each an entry of its own",
		}},
		{name: "a route twice", document: "full.yaml", old: "    steps: [", new: "    also:\n    - service: {name: svc-internal}\n    - service: {name: svc-production}\n    steps: [", want: []string{
			"21:23: spec.traffic.also[1].service.name: \"svc-production\" is moved by spec.traffic.service already; leave one of them",
		}},
		{name: "a further route's name", document: "full.yaml", old: "    steps: [", new: "    also: [{service: {name: Internal}}]\n    steps: [", want: []string{
			"19:29: spec.traffic.also[0].service.name: \"Internal\" is not a valid name; a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
		}},
		{name: "a further route's places", document: "full.yaml", old: "    steps: [", new: "    also: [{custom: {apiVersion: example.com/v1, resource: lanes, name: shop, weights: {blue: [blue], green: [/green]}}}]\n    steps: [", want: []string{
			"19:96: spec.traffic.also[0].custom.weights.blue[0]: \"blue\" is not a JSON pointer; write the place of the weight, such as /spec/backends/0/weight",
		}},
		{name: "a further route of an unknown kind", document: "full.yaml", old: "    steps: [", new: "    also: [{services: {name: svc-internal}}]\n    steps: [", want: []string{
			"19:13: spec.traffic.also[0].services: unknown field; did you mean \"service\"?",
		}},
		{name: "parts beside a further Service", document: "weighted.yaml", old: "{name: shop.example.com}\n", new: "{name: shop}\n    also: [{service: {name: svc-internal}}]\n    steps: [{weight: 50}, {weight: 100}]\n", want: []string{
			"18:22: spec.traffic.steps[0].weight: a Service can't give 50% to a colour: its selector switches everything at once, and spec.traffic.also[0].service, \"svc-internal\", is moved with the others; leave only the step of weight 100",
		}},
		{name: "a further Service is a colour's own", document: "weighted.yaml", old: "{name: shop.example.com}\n", new: "{name: shop}\n    also: [{service: {name: svc-green}}]\n", want: []string{
			"14:16: spec.colors.green.service: \"svc-green\" is the production Service; a colour's Service reaches it past the production route; leave it out if there is none",
		}},
		{name: "a further route with weights needs the colours' Services", old: "      name: shop\n", new: "      name: shop\n    also: [{httpRoute: {name: shop}}]\n", want: []string{
			"8:7: spec.colors.blue.service: is required: spec.traffic.also[0].httpRoute shares requests between the colours' Services; write service: NAME, a Service that selects this colour's pods alone",
			"11:7: spec.colors.green.service: is required: spec.traffic.also[0].httpRoute shares requests between the colours' Services; write service: NAME, a Service that selects this colour's pods alone",
		}},
		{name: "a colour without a Service behind weights", document: "weighted.yaml", old: "      service: svc-blue\n", want: []string{
			"8:7: spec.colors.blue.service: is required: httpRoute shares requests between the colours' Services; write service: NAME, a Service that selects this colour's pods alone",
		}},
		{name: "parts under the atomic profile", document: "weighted.yaml", old: "{name: shop.example.com}\n", new: "{name: shop}\n    steps: [{weight: 50}, {weight: 100}]\n  gates: {profile: atomic}\n", want: []string{
			"17:22: spec.traffic.steps[0].weight: gates.profile atomic switches everything at once, and 50% is a part; leave only the step of weight 100, or write gates: {profile: weighted}",
		}},
		{name: "canary of itself", document: "weighted.yaml", old: "    httpRoute: {name: shop.example.com}\n", new: "    nginxIngress: {name: shop, main: shop}\n", want: []string{
			`16:38: spec.traffic.nginxIngress.main: "shop" is the canary itself; write the name of the Ingress that leads to the other colour`,
		}},
		{name: "version with its group", document: "weighted.yaml", old: "    httpRoute: {name: shop.example.com}\n", new: "    tlsRoute: {name: shop, version: gateway.networking.k8s.io/v1}\n", want: []string{
			`16:37: spec.traffic.tlsRoute.version: "gateway.networking.k8s.io/v1" names a group too; write the version alone, such as v1`,
		}},
		{name: "subsets of other colours", document: "weighted.yaml", old: "    httpRoute: {name: shop.example.com}\n", new: "    virtualService: {name: shop, host: shop, subsets: {blue: v1, red: v2}}\n", want: []string{
			`16:55: spec.traffic.virtualService.subsets: is about "blue", "red", and the colours are "blue", "green"; write one entry for each colour`,
		}},
		{name: "subsets of any host", document: "weighted.yaml", old: "    httpRoute: {name: shop.example.com}\n", new: "    virtualService: {name: shop, subsets: {blue: v1, green: v2}}\n", want: []string{
			`16:21: spec.traffic.virtualService.host: is required with subsets: other hosts may have subsets of the same names; write host: NAME, the Service whose subsets they are`,
		}},
		{name: "a host in its full form", document: "weighted.yaml", old: "    httpRoute: {name: shop.example.com}\n", new: "    virtualService: {name: shop, host: shop.shop.svc, subsets: {blue: v1, green: v2}}\n", want: []string{
			`16:40: spec.traffic.virtualService.host: "shop.shop.svc" is not a valid name; must not contain dots`,
		}},
		{name: "a host without subsets", document: "weighted.yaml", old: "    httpRoute: {name: shop.example.com}\n", new: "    virtualService: {name: shop, host: shop}\n", want: []string{
			`16:40: spec.traffic.virtualService.host: says whose subsets the colours are, and there are none; write subsets: {COLOR: NAME, ...}, or leave it out`,
		}},
		{name: "a custom route without places", document: "weighted.yaml", old: "    httpRoute: {name: shop.example.com}\n",
			new: "    custom:\n      apiVersion: a/b/c\n      resource: lanes\n      name: shop\n      weights:\n        blue: [spec.blue]\n        green: []\n", want: []string{
				`17:19: spec.traffic.custom.apiVersion: "a/b/c" is not an API version; write GROUP/VERSION, such as example.com/v1`,
				`21:16: spec.traffic.custom.weights.blue[0]: "spec.blue" is not a JSON pointer; write the place of the weight, such as /spec/backends/0/weight`,
				`22:16: spec.traffic.custom.weights.green: has 0 places, and each colour needs the same number, one at least; the first place of one colour goes with the first of the other`,
			}},
		{name: "a name that no route can have", document: "weighted.yaml", old: "shop.example.com", new: "Shop", want: []string{
			"16:23: spec.traffic.httpRoute.name: \"Shop\" is not a valid name; a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
		}},
		{name: "weights on a Service", document: "full.yaml", old: "[{weight: 100, hold: 5m}]", new: "[{weight: 50, hold: 3m}, {weight: 100}]", want: []string{
			"19:22: spec.traffic.steps[0].weight: a Service can't give 50% to a colour: its selector switches everything at once; leave only the step of weight 100",
		}},
		{name: "weights don't rise", document: "full.yaml", old: "[{weight: 100, hold: 5m}]", new: "[{weight: 100}, {weight: 100}]", want: []string{
			"19:37: spec.traffic.steps[1].weight: 100 does not rise above the 100 of the step before",
		}},
		{name: "weights don't end at 100", document: "full.yaml", old: "[{weight: 100, hold: 5m}]", new: "[{weight: 0}]", want: []string{
			"19:22: spec.traffic.steps[0].weight: 0 is not between 1 and 100; a weight is the percentage of the colour that traffic moves to",
		}},
		{name: "step without a weight", document: "full.yaml", old: "[{weight: 100, hold: 5m}]", new: "[{hold: 5m}]", want: []string{
			"19:13: spec.traffic.steps[0].weight: is required",
		}},
		{name: "a preview of a Service", document: "full.yaml", old: "[{weight: 100, hold: 5m}]", new: "[{match: {header: {name: X-Version, value: next}}, hold: 5m}, {weight: 100}]", want: []string{
			"19:21: spec.traffic.steps[0].match: service \"svc-production\" can't lead requests by a header, for it shares connections and sees no request; of the kinds of route grpcRoute, httpRoute, virtualService can; leave the step out",
		}},
		{name: "a preview by a cookie", document: "weighted.yaml", old: "{name: shop.example.com}\n", new: "{name: shop}\n    steps: [{match: {cookie: {name: version, value: next}}, hold: 5m}, {weight: 100}]\n", want: []string{
			"17:21: spec.traffic.steps[0].match: httpRoute \"shop\" can't lead requests by a cookie, for the Gateway API matches none; of the kinds of route virtualService can; leave the step out",
		}},
		{name: "a preview of an IngressRoute", document: "weighted.yaml", old: "httpRoute: {name: shop.example.com}\n", new: "ingressRoute: {name: shop}\n    steps: [{match: {header: {name: X-Version, value: next}}, hold: 5m}, {weight: 100}]\n", want: []string{
			"17:21: spec.traffic.steps[0].match: ingressRoute \"shop\" can't lead requests by a header, for Traefik has the longest rule win: a longer copy of one would take the requests of others; of the kinds of route grpcRoute, httpRoute, virtualService can; leave the step out",
		}},
		{name: "a preview too late", document: "weighted.yaml", old: "{name: shop.example.com}\n", new: "{name: shop}\n    steps: [{weight: 50}, {match: {header: {name: X-Version, value: next}}, hold: 5m}, {weight: 100}]\n", want: []string{
			"17:35: spec.traffic.steps[1].match: stands behind a weight, which has given everybody a part already; make it the first step, or leave it out",
		}},
		{name: "a preview and nothing behind it", document: "weighted.yaml", old: "{name: shop.example.com}\n", new: "{name: shop}\n    steps: [{match: {header: {name: X-Version, value: next}}, hold: 5m}]\n", want: []string{
			"17:13: spec.traffic.steps[0].weight: the last step must have weight 100",
		}},
		{name: "a preview beside a weight, without a hold", document: "weighted.yaml", old: "{name: shop.example.com}\n", new: "{name: shop}\n    steps: [{match: {header: {name: X-Version, value: next}}, weight: 50}, {weight: 100}]\n", want: []string{
			"17:13: spec.traffic.steps[0].hold: is required beside match: it is the time in which somebody can look at the colour; write hold: 5m, or another time",
			"17:21: spec.traffic.steps[0].match: stands beside a weight; write two steps: requests with the match reach the colour first, then it gets a weight",
		}},
		{name: "a preview by what is no header", document: "weighted.yaml", old: "{name: shop.example.com}\n", new: "{name: shop}\n    steps: [{match: {header: {name: \"X Version\", value: \" next\"}}, hold: 5m}, {weight: 100}]\n", want: []string{
			"17:37: spec.traffic.steps[0].match.header.name: \"X Version\" is no name of a header; write letters, digits and dashes, such as X-Version",
			"17:57: spec.traffic.steps[0].match.header.value: \" next\" is no value of a header; write printed ASCII, without spaces around it",
		}},
		{name: "a preview by a credential", document: "weighted.yaml", old: "{name: shop.example.com}\n", new: "{name: shop}\n    steps: [{match: {header: {name: Authorization, value: next}}, hold: 5m}, {weight: 100}]\n", want: []string{
			"17:37: spec.traffic.steps[0].match.header.name: \"Authorization\" holds a credential, and a route is read by everybody; write a header of its own, such as X-Version",
		}},
		{name: "a preview by nothing", document: "weighted.yaml", old: "{name: shop.example.com}\n", new: "{name: shop}\n    steps: [{match: {}, hold: 5m, requests: some}, {weight: 100}]\n", want: []string{
			"17:21: spec.traffic.steps[0].match: wants nothing; write header: {name: NAME, value: VALUE}, or cookie likewise",
			"17:45: spec.traffic.steps[0].requests: \"some\" is not known; known: optional, required",
		}},
		{name: "requests of a weight", document: "weighted.yaml", old: "{name: shop.example.com}\n", new: "{name: shop}\n    steps: [{weight: 100, requests: optional}]\n", want: []string{
			"17:37: spec.traffic.steps[0].requests: is of a step with match alone; the gate always wants requests at a step with a weight",
		}},
		{name: "no step", document: "full.yaml", old: "[{weight: 100, hold: 5m}]", new: "[]", want: []string{
			"19:12: spec.traffic.steps: has no step; leave it out for one step of weight 100",
		}},
		{name: "hold beyond the watch", document: "full.yaml", old: "hold: 5m", new: "hold: 11m", want: []string{
			"20:12: spec.traffic.watch: 10m is shorter than the hold at 100, 11m, which it includes; write watch: 11m, or a last step of {weight: 100, hold: 10m} under spec.traffic.steps",
		}},
		{name: "recover beyond rollback", document: "full.yaml", old: "recover: 90s", new: "recover: 3m", want: []string{
			"22:81: spec.traffic.deadlines.recover: recover, 3m, is longer than rollback, 2m, within which a rollback is expected",
		}},
		{name: "rollout beyond total", document: "full.yaml", old: "rollout: 3m", new: "rollout: 16m", want: []string{
			"22:26: spec.traffic.deadlines.rollout: rollout, 16m, is longer than total, 15m, after which nothing is switched",
		}},
		{name: "exporter address", document: "full.yaml", old: "monitoring/postgres-exporter:9187", new: "postgres-exporter:9187", want: []string{
			"29:19: spec.database[0].observe.exporter: \"postgres-exporter:9187\" is not NAMESPACE/SERVICE:PORT; such as monitoring/prometheus:9090",
		}},
		{name: "budget in percent", document: "full.yaml", old: "budget: 0.8", new: "budget: 80", want: []string{
			"31:15: spec.database[0].budget: 80 is not a share between 0 and 1; 80 % is written 0.8",
		}},
		{name: "two databases of one name", document: "full.yaml", old: "name: reports", new: "name: main", want: []string{
			"32:13: spec.database[1].name: \"main\" is the name of another database too",
		}},
		{name: "dsn from two places", document: "full.yaml", old: "dsn: {env: REPORTS_DSN}", new: "dsn: {env: REPORTS_DSN, secretKeyRef: {name: a, key: b}}", want: []string{
			"33:35: spec.database[1].observe.dsn: needs exactly one of secretKeyRef and env; write secretKeyRef: {name: NAME, key: KEY}",
		}},
		{name: "dsn from nowhere", document: "full.yaml", old: "dsn: {env: REPORTS_DSN}", new: "dsn: {}", want: []string{
			"33:35: spec.database[1].observe.dsn: needs exactly one of secretKeyRef and env; write secretKeyRef: {name: NAME, key: KEY}",
		}},
		{name: "direct without a dsn", document: "full.yaml", old: "dsn: {env: REPORTS_DSN}, ", new: "", want: []string{
			"33:16: spec.database[1].observe.dsn: is required when via is direct",
		}},
		{name: "exporter without an address", document: "full.yaml", old: "{via: direct, dsn: {env: REPORTS_DSN}, ", new: "{via: exporter, ", want: []string{
			"33:16: spec.database[1].observe.exporter: is required when via is exporter",
		}},
		{name: "prometheus observes without a server", old: "  traffic:", new: "  database: [{name: a, observe: {via: prometheus}}]\n  traffic:", want: []string{
			"13:39: spec.database[0].observe.via: prometheus needs spec.metrics.prometheus; name the server there",
		}},
		{name: "pod target", document: "full.yaml", old: "pod: service/postgres", new: "pod: postgres", want: []string{
			"28:14: spec.database[0].observe.pod: \"postgres\" names no pod; write service/NAME, pod/NAME or a label selector such as app=postgres",
		}},
		{name: "pool variable", document: "full.yaml", old: "DB_POOL_SIZE", new: "DB POOL", want: []string{
			"30:19: spec.database[0].pool.env: \"DB POOL\" is not a valid name; a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
		}},
		{name: "pool of zero", document: "full.yaml", old: "size: 10", new: "size: 0", want: []string{
			"30:39: spec.database[0].pool.size: 0 is not between 1 and 100000",
		}},
		{name: "connections of nobody", document: "full.yaml", old: "pool: {env: DB_POOL_SIZE, size: 10}", new: "connections: 0", want: []string{
			"30:20: spec.database[0].connections: 0 is not between 1 and 1000000",
		}},
		{name: "pooler of two kinds", document: "full.yaml", old: "pool: {env: DB_POOL_SIZE, size: 10}", new: "pooler: {workload: deployment/pgbouncer, cloudNativePG: shop-rw}", want: []string{
			"30:15: spec.database[0].pooler: needs exactly one of workload, cloudNativePG and instances; write workload: deployment/NAME",
		}},
		{name: "pooler that nobody can ask", document: "full.yaml", old: "pool: {env: DB_POOL_SIZE, size: 10}", new: "pooler: {instances: 2}", want: []string{
			"30:15: spec.database[0].pooler.admin: is required with instances: nothing else tells what it may open; write admin: {secretKeyRef: {name: NAME, key: KEY}}",
		}},
		{name: "pooler of no instance", document: "full.yaml", old: "pool: {env: DB_POOL_SIZE, size: 10}", new: "pooler: {instances: 0, admin: {env: ADMIN}}", want: []string{
			"30:27: spec.database[0].pooler.instances: 0 is not between 1 and 1000",
		}},
		{name: "probe of no kind", document: "full.yaml", old: "        grpc: {service: shop.Recommendation, port: 9090, timeout: 5s}\n", new: "", want: []string{
			"45:9: spec.validation.synthetic[1]: needs exactly one of http and grpc",
		}},
		{name: "probe of both kinds", document: "full.yaml", old: "        grpc: {service", new: "        http: {path: /x}\n        grpc: {service", want: []string{
			"45:9: spec.validation.synthetic[1]: needs exactly one of http and grpc",
		}},
		{name: "path without a slash", document: "full.yaml", old: "path: /recommendations?user=1", new: "path: recommendations", want: []string{
			"40:17: spec.validation.synthetic[0].http.path: \"recommendations\" is not a path; it starts with / and has no spaces",
		}},
		{name: "port", document: "full.yaml", old: "port: 9090, timeout", new: "port: 90900, timeout", want: []string{
			"46:52: spec.validation.synthetic[1].grpc.port: 90900 is not between 1 and 65535",
		}},
		{name: "status", document: "full.yaml", old: "status: 200\n", new: "status: 20\n", want: []string{
			"43:19: spec.validation.synthetic[0].http.status: 20 is not between 100 and 599",
		}},
		{name: "two probes of one name", document: "full.yaml", old: "name: grpc-health", new: "name: recommend", want: []string{
			"45:15: spec.validation.synthetic[1].name: \"recommend\" is the name of another probe too",
		}},
		{name: "token in a header", document: "full.yaml", old: "          headers: {Accept: application/json}\n", new: "          headers: {Authorization: Bearer planted}\n", want: []string{
			"41:36: spec.validation.synthetic[0].http.headers.Authorization: looks like it holds a secret, which must never stand in this document; give it from a Secret: headersFrom: {Authorization: {secretKeyRef: {name: NAME, key: KEY}}}",
		}},
		{name: "password in a header", document: "full.yaml", old: "          headers: {Accept: application/json}\n", new: "          headers: {Authorization: Basic cGxhbnRlZA==}\n", want: []string{
			"41:36: spec.validation.synthetic[0].http.headers.Authorization: looks like it holds a secret, which must never stand in this document; give it from a Secret: headersFrom: {Authorization: {secretKeyRef: {name: NAME, key: KEY}}}",
		}},
		{name: "key in a header", document: "full.yaml", old: "          headers: {Accept: application/json}\n", new: "          headers: {X-Api-Key: planted}\n", want: []string{
			"41:32: spec.validation.synthetic[0].http.headers.X-Api-Key: looks like it holds a secret, which must never stand in this document; give it from a Secret: headersFrom: {X-Api-Key: {secretKeyRef: {name: NAME, key: KEY}}}",
		}},
		{name: "password in a body", document: "full.yaml", old: "body: '{\"n\": 3}'", new: "body: '{\"password\":\"planted\"}'", want: []string{
			"42:17: spec.validation.synthetic[0].http.body: looks like it holds a secret, which must never stand in this document; a body can't be read from a Secret: send the secret as a header, by headersFrom, or choose a request that needs none",
		}},
		{name: "token in a path", document: "full.yaml", old: "path: /recommendations?user=1", new: "path: /recommendations?access_token=planted", want: []string{
			"40:17: spec.validation.synthetic[0].http.path: looks like it holds a secret, which must never stand in this document; a path is kept and logged: send the secret as a header, by headersFrom, or ask for a path that needs none",
		}},
		{name: "token in a query that is escaped", document: "full.yaml", old: "path: /recommendations?user=1", new: "path: /recommendations?access%5Ftoken=planted", want: []string{
			"40:17: spec.validation.synthetic[0].http.path: looks like it holds a secret, which must never stand in this document; a path is kept and logged: send the secret as a header, by headersFrom, or ask for a path that needs none",
		}},
		{name: "password before a host", document: "full.yaml", old: "path: /recommendations?user=1", new: "path: //shop:planted@recommendations", want: []string{
			"40:17: spec.validation.synthetic[0].http.path: looks like it holds a secret, which must never stand in this document; a path is kept and logged: send the secret as a header, by headersFrom, or ask for a path that needs none",
		}},
		{name: "token in what is no path", document: "full.yaml", old: "path: /recommendations?user=1", new: "path: recommendations?access_token=planted", want: []string{
			"40:17: spec.validation.synthetic[0].http.path: a value that is not repeated here is not a path; it starts with / and has no spaces",
		}},
		{name: "secret of a health probe", document: "full.yaml", old: "body: '{}'", new: "body: 'token=planted'", want: []string{
			"35:208: spec.validation.health.body: looks like it holds a secret, which must never stand in this document; a body can't be read from a Secret: send the secret as a header, by headersFrom, or choose a request that needs none",
		}},
		{name: "header without a source", document: "full.yaml", old: "          headers: {Accept: application/json}\n", new: "          headersFrom: {Authorization: {}}\n", want: []string{
			"41:40: spec.validation.synthetic[0].http.headersFrom.Authorization: needs exactly one of secretKeyRef and env; write secretKeyRef: {name: NAME, key: KEY}",
		}},
		{name: "header in place of its source", document: "full.yaml", old: "          headers: {Accept: application/json}\n", new: "          headersFrom: {Authorization: Bearer planted}\n", want: []string{
			"41:40: spec.validation.synthetic[0].http.headersFrom.Authorization: expected a mapping of secretKeyRef, env, found text",
		}},
		{name: "token in place of its name", document: "full.yaml", old: "          headers: {Accept: application/json}\n", new: "          headersFrom: {Authorization: {env: Bearer planted}}\n", want: []string{
			"41:46: spec.validation.synthetic[0].http.headersFrom.Authorization.env: the value is not a valid name; a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
		}},
		{name: "header that is none", document: "full.yaml", old: "          headers: {Accept: application/json}\n", new: "          headersFrom: {\"A b\": {env: TOKEN}}\n", want: []string{
			"41:32: spec.validation.synthetic[0].http.headersFrom[A b]: is not the name of an HTTP header",
		}},
		{name: "header twice", document: "full.yaml", old: "          headers: {Accept: application/json}\n", new: "          headers: {x-trace: on}\n          headersFrom: {X-Trace: {env: TRACE}}\n", want: []string{
			"42:34: spec.validation.synthetic[0].http.headersFrom.X-Trace: stands among the headers too; keep one of them",
		}},
		{name: "log expression", document: "full.yaml", old: "\"(?i)panic\"", new: "\"(?i\"", want: []string{
			"47:21: spec.validation.logs.forbid[0]: \"(?i\" is not a regular expression; the syntax is RE2: invalid or unsupported Perl syntax",
		}},
		{name: "prometheus by url and service", document: "full.yaml", old: "prometheus: {service", new: "prometheus: {url: \"http://p:9090\", service", want: []string{
			"49:17: spec.metrics.prometheus: needs exactly one of url and service; service: NAMESPACE/SERVICE:PORT is reached through the API server",
		}},
		{name: "prometheus by neither", document: "full.yaml", old: "prometheus: {service: \"monitoring/prometheus:9090\"}", new: "prometheus: {}", want: []string{
			"49:17: spec.metrics.prometheus: needs exactly one of url and service; service: NAMESPACE/SERVICE:PORT is reached through the API server",
		}},
		{name: "prometheus url", document: "full.yaml", old: "prometheus: {service: \"monitoring/prometheus:9090\"}", new: "prometheus: {url: \"prometheus:9090\"}", want: []string{
			"49:23: spec.metrics.prometheus.url: \"prometheus:9090\" is not a URL; such as http://prometheus.example:9090",
		}},
		{name: "prometheus service without a port", document: "full.yaml", old: "monitoring/prometheus:9090", new: "monitoring/prometheus", want: []string{
			"49:27: spec.metrics.prometheus.service: \"monitoring/prometheus\" is not NAMESPACE/SERVICE:PORT; such as monitoring/prometheus:9090",
		}},
		{name: "loki by url and service", document: "full.yaml", old: "loki: {service", new: "loki: {url: \"http://l:3100\", service", want: []string{
			"66:11: spec.logs.loki: needs exactly one of url and service; service: NAMESPACE/SERVICE:PORT is reached through the API server",
		}},
		{name: "loki service without a namespace", document: "full.yaml", old: "monitoring/loki:3100", new: "loki:3100", want: []string{
			"66:21: spec.logs.loki.service: \"loki:3100\" is not NAMESPACE/SERVICE:PORT; such as monitoring/prometheus:9090",
		}},
		{name: "labels that Loki can't have", document: "full.yaml", old: "selector: {namespace: shop, app:", new: "selector: {namespace: \"\", app.kubernetes.io/name:", want: []string{
			"66:67: spec.logs.loki.selector.namespace: is empty, which selects the streams without the label; give the label's value, or leave it out",
			"66:95: spec.logs.loki.selector[app.kubernetes.io/name]: \"app.kubernetes.io/name\" is not a label of Loki; labels of Loki have letters, digits and underscores only: app.kubernetes.io/name is app_kubernetes_io_name there",
		}},
		{name: "version label of logs", document: "full.yaml", old: "versionLabel: app_version", new: "versionLabel: \"app version\"", want: []string{
			"66:109: spec.logs.loki.versionLabel: \"app version\" is not a valid name; name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
		}},
		{name: "tenant of two lines", document: "full.yaml", old: "tenant: shop", new: "tenant: \"a\\nb\"", want: []string{
			"66:130: spec.logs.loki.tenant: \"a\\nb\" can't stand in a header",
		}},
		{name: "grafana by neither", document: "full.yaml", old: "grafana: {service: \"monitoring/grafana:3000\", ", new: "grafana: {", want: []string{
			"68:14: spec.dashboard.grafana: needs exactly one of url and service; service: NAMESPACE/SERVICE:PORT is reached through the API server",
		}},
		{name: "address in place of a uid", document: "full.yaml", old: "uid: bluegreen-shop", new: "uid: d/bluegreen-shop", want: []string{
			"68:56: spec.dashboard.grafana.uid: \"d/bluegreen-shop\" is not the uid of a dashboard; it is what follows /d/ in the dashboard's address: letters, digits, - and _, 40 at most",
		}},
		{name: "token in the document", document: "full.yaml", old: "token: {secretKeyRef: {name: grafana, key: token}}", new: "token: glsa_hunter2", want: []string{
			"68:79: spec.dashboard.grafana.token: expected a mapping of secretKeyRef, env, found text",
		}},
		{name: "token in place of its name in the Secret", document: "full.yaml", old: "key: token}", new: "key: glsa hunter2!}", want: []string{
			"68:115: spec.dashboard.grafana.token.secretKeyRef.key: the value is not a valid name; a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
		}},
		{name: "rule twice", document: "full.yaml", old: "id: advance-latency-p95", new: "id: rollback-error-ratio", want: []string{
			"60:14: spec.gates.rules[1].id: \"rollback-error-ratio\" is overridden twice; keep one of them",
		}},
		{name: "negative threshold", document: "full.yaml", old: "threshold: 0.02", new: "threshold: -1", want: []string{
			"59:47: spec.gates.rules[0].threshold: must not be negative",
		}},
		{name: "interval", document: "full.yaml", old: "interval: 5s", new: "interval: 5ms", want: []string{
			"57:15: spec.gates.interval: 5ms is shorter than 1s",
		}},
		{name: "dsn in the document", document: "full.yaml", old: "dsn: {env: REPORTS_DSN}", new: "dsn: postgres://app:hunter2@db/shop", want: []string{
			"33:35: looks like a connection string or a password, which must never stand in this document; put it in a Secret and name that: dsn: {secretKeyRef: {name: NAME, key: KEY}}",
			"33:35: spec.database[1].observe.dsn: expected a mapping of secretKeyRef, env, found text",
		}},
		{name: "dsn as libpq keywords", document: "full.yaml", old: "dsn: {env: REPORTS_DSN}", new: "dsn: {env: host=db password=hunter2}", want: []string{
			"33:41: spec.database[1].observe.dsn.env: the value is not a valid name; a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
			"33:49: looks like a connection string or a password, which must never stand in this document; put it in a Secret and name that: dsn: {secretKeyRef: {name: NAME, key: KEY}}",
		}},
		{name: "dsn in a comment", document: "full.yaml", old: "# Every field", new: "# postgres://app:hunter2@db/shop", want: []string{
			"1:3: looks like a connection string or a password, which must never stand in this document; put it in a Secret and name that: dsn: {secretKeyRef: {name: NAME, key: KEY}}",
		}},
		{name: "dsn over two lines", document: "full.yaml", old: "contains: items", new: "contains: \"postgres:\\\n            //app:hunter2@db/shop\"", want: []string{
			"44:21: looks like a connection string or a password, which must never stand in this document; put it in a Secret and name that: dsn: {secretKeyRef: {name: NAME, key: KEY}}",
		}},
		{name: "dsn as a field", document: "full.yaml", old: "dsn: {env: REPORTS_DSN}", new: "postgres://app:hunter2@db: x, dsn: {env: REPORTS_DSN}", want: []string{
			"33:30: looks like a connection string or a password, which must never stand in this document; put it in a Secret and name that: dsn: {secretKeyRef: {name: NAME, key: KEY}}",
			"33:30: spec.database[1].observe.…: unknown field; known here: via, dsn, pod, exporter",
		}},
		{name: "password as a name under dsn", document: "full.yaml", old: "key: url", new: "key: hunter2!", want: []string{
			"27:60: spec.database[0].observe.dsn.secretKeyRef.key: the value is not a valid name; a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
		}},
		{name: "password in a URL", document: "full.yaml", old: "prometheus: {service: \"monitoring/prometheus:9090\"}", new: "prometheus: {url: \"http://me:hunter2@prometheus:9090\"}", want: []string{
			"49:24: looks like a connection string or a password, which must never stand in this document; put it in a Secret and name that: dsn: {secretKeyRef: {name: NAME, key: KEY}}",
		}},
		{name: "dsn and bad YAML", document: "full.yaml", old: "dsn: {env: REPORTS_DSN}", new: "dsn: *postgres://app:hunter2@db", want: []string{
			"33:35: is not YAML: unknown anchor 'postgres' referenced",
			"33:36: looks like a connection string or a password, which must never stand in this document; put it in a Secret and name that: dsn: {secretKeyRef: {name: NAME, key: KEY}}",
		}},
		{name: "tab", old: "  name: shop\n", new: "\tname: shop\n", want: []string{
			"4:1: a tab stands in the indentation, which YAML forbids; indent with spaces",
		}},
		{name: "unclosed quote", old: "name: shop\n", new: "name: \"shop\n", want: []string{
			"4:1: is not YAML: found unexpected end of stream",
		}},
		{name: "unknown alias", old: "name: shop\n", new: "name: *nothing\n", want: []string{
			"4:9: is not YAML: unknown anchor 'nothing' referenced",
		}},
		{name: "two documents", old: "apiVersion", new: "apiVersion: v1\nkind: x\n---\napiVersion", want: []string{
			"1:13: apiVersion: \"v1\" is not read here; write apiVersion: bluegreen.dev/v1alpha1",
			"2:7: kind: \"x\" is not read here; write kind: Release",
			"4:1: a second document starts here; a file holds one Release; put the other documents into files of their own",
		}},
		{name: "two Releases", document: "full.yaml", old: "key: token}}}\n", new: "key: token}}}\n---\nkind: Release\n", want: []string{
			"70:1: a second document starts here; a file holds one Release; put the other documents into files of their own",
		}},
		{name: "text only", old: "apiVersion: bluegreen.dev/v1alpha1\nkind: Release\nmetadata:\n  name: shop\nspec:", new: "- a\n#", want: []string{
			"3:1: is not YAML: did not find expected '-' indicator",
		}},
		{name: "a misspelt field hides no other mistake", document: "full.yaml", old: "  require: production", new: "  gate: {}\n  require: prod", want: []string{
			"64:3: spec.gate: unknown field; did you mean \"gates\"?",
			"65:12: spec.require: \"prod\" is not known; known: starter, production",
		}},
		{name: "many at once", document: "full.yaml", old: "    drain: auto\n    deadlines: {rollout: 3m, ", new: "    drian: auto\n    deadlines: {rollout: 3, ", want: []string{
			"21:5: spec.traffic.drian: unknown field; did you mean \"drain\"?",
			"22:26: spec.traffic.deadlines.rollout: expected a duration with a unit, found a whole number; write 3s if seconds were meant, 3m for minutes",
		}},
	} {
		t.Run(m.name, m.run)
	}
}
