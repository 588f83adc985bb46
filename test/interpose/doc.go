// Package interpose stands between a program and the API server, and makes
// what happens there happen at a chosen request: an answer that is late, that
// is lost, that is a refusal, or a program that is killed before its write
// lands or before it hears that it has.
//
// A [Proxy] is an HTTPS server with a certificate of its own, and a kubeconfig
// that names it. The program under test is started with that kubeconfig and is
// not told otherwise, so that nothing about it need be made for the test. Its
// credentials go through untouched: the API server authenticates and
// authorises the program itself. Watches, followed logs, port-forwards and
// exec go through as the streams that they are.
//
// A [Hook] is called twice for each request: when it arrives, and when the API
// server's answer has arrived and is not handed on yet. Blocking in it delays
// the exchange, whatever it does meanwhile, such as killing the program; what
// it returns is what becomes of the exchange.
//
//	proxy.Use(func(ctx context.Context, exchange *interpose.Exchange) interpose.Reaction {
//		if exchange.Landed() && exchange.Verb == "patch" && exchange.Resource == "services" {
//			return interpose.Drop() // it is written, and the program never hears of it
//		}
//		return interpose.Pass()
//	})
package interpose
