// The lab, the end-to-end tests and the demo: apart from the product's own
// module, so that what they pull in never reaches its users.
module github.com/bluegreen-dev/kubectl-bluegreen/test

go 1.26.0

require github.com/bluegreen-dev/kubectl-bluegreen v0.0.0

replace github.com/bluegreen-dev/kubectl-bluegreen => ../
