// Package promise is what tests say where the product has broken something that
// it promises on any machine, however slow: that traffic is never sent to nothing,
// that who was taken over writes nothing more, that no request is lost, that no
// write comes without an intent. Such a test has failed for good. One that failed
// because a window of measurements came late may be tried again.
package promise

// Broken begins what is said of a broken promise.
const Broken = "promise broken: "
