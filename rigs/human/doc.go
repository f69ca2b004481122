// Package human lets a person be an instrument of a rig: one who presses the keys on request, for
// a bench without a robot, or who reads the screen. The person sees each request on the console and presses Enter when it
// is done.
//
//	console := human.NewConsole(os.Stdin, os.Stdout)
//	defer console.Close()
//	pad, err := human.NewKeypad(human.Config{Keypad: profile.Keypad, Ask: console.Ask})
//	press, err := pad.Press(ctx, "5")     // prints "press the key 5 once, …", waits for Enter
//
// A person is slow, so a press is known to lie somewhere between the request and the Enter, and no
// times of the terminal can be judged that need it closer. A person can also say that it did not work,
// by typing "no" before Enter. Every wait is bounded by Config.Patience.
//
// A person is also a display (NewDisplay), for a terminal without a debug line: whoever waits for a screen has the person
// asked what the terminal shows. A screen is then known to have come between the last answer and this one.
//
// Requests name the key, digits of a PIN included, for nobody could press it otherwise: they go to
// the console alone, and no error repeats them. Use test cards.
package human
