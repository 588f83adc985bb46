// Command web answers / with the name of its pod, and nothing else: a service
// that was written without a thought of blue and green, health paths, metrics
// or databases.
package main

import (
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	server := &http.Server{Addr: ":8080", ReadHeaderTimeout: 10 * time.Second}
	server.Handler = http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if request.URL.Path != "/" {
			http.NotFound(response, request)
			return
		}
		_, _ = fmt.Fprintln(response, "hello from", os.Getenv("HOSTNAME"))
	})
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}
