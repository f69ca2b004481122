package rigs

// Point is a place in a robot's machine coordinates, or a way, in mm. Z grows upwards.
type Point struct{ X, Y, Z float64 }
