// Command program stands in for this module's own in the tests.
package main

func main() {}
