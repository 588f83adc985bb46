// Package e2e holds the tests of the whole program on a real cluster, under
// load, with faults planted in the release.
//
// Every test opens a shop of its own (package shop), sends keep-alive and
// fresh traffic to production (package clients), runs
// kubectl-bluegreen as a process, and asserts what the program said, what the
// cluster holds, and what the clients saw. Counts are asserted; times are
// printed and never asserted.
//
//	go test ./e2e -v                                        a lab of its own
//	BLUEGREEN_LAB=lab go test ./e2e -v -run TestHealthy     a lab that stays up
//
// BLUEGREEN_RATE says how many requests per second to send; without it the
// tests begin with what the machine bears, up to 100.
package e2e
