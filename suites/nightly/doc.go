// Package nightly runs a plan over several rigs at once: each rig has a worker of its own, and each
// worker runs processes of `assay run`, one after the other. A process that hangs, crashes or waits
// for a dead rig so holds nobody but its own worker, and is bounded in time itself.
//
// A night's folder holds
//
//	night.json             the plan as it was read, and what it comes to on each rig
//	rigs/RIG/001/          the run folder of each process, with order.json: what it was told
//	rigs/RIG/001.log       what the process said
//	summary.json           every scenario with all its attempts, and the counts; always up to date
//	junit.xml, index.html  at the end
//
// What was done is written nowhere else but in the run folders. So a night can be resumed from them
// after any crash.
package nightly
