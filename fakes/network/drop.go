package network

// drop swallows a message; its connection stays open, and who waits for it waits on.
type drop struct{}

func (drop) decide(message) verdict { return verdict{fate: dropped} }
