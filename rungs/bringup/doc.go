// Package bringup is for the person who builds a rig: it finds out what is plugged in, opens one
// instrument at a time, tries it, says what is wrong and what to do about it, measures the rig's own
// delays, and teaches the robot where the keypad lies. Nothing is judged here.
//
//	report, err := bringup.Check(ctx, "lab7.yaml", bringup.CheckOptions{Each: print})
//	err = bringup.Press(ctx, "lab7.yaml", []string{"1", "CANCEL"}, print)
//
// Each function holds the rig's lease while it runs, and leaves every instrument that it used in its
// safe state, also when its context ends.
package bringup
