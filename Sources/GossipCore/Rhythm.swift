import Basics

// How long the gossip layer waits, as far as that follows from how fast this cluster lives: an experiment with ten times faster
// timings has all of these ten times faster. In brackets: with RocketMQ's heartbeat of 30 s and a period of 1 s. What belongs to
// networks, clocks and people instead stands where it is used, in seconds: handshakes and connecting, TLS, wall clocks, the slack of a
// goodbye, alarms, DNS.

extension GossipSettings {
    /// Waits between two dials of one contact grow from a period to this, with full jitter (5 s): a sixth of a heartbeat, so that
    /// after a partition nodes compare again long before a broker is late, and 64 nodes dial 13 times a second at most. Never above
    /// `GossipLimits.longestBackoff`.
    var longestBackoff: Duration { max(period, min(GossipLimits.longestBackoff, heartbeat / 6)) }
    /// How long a link that broke may take to be there again before its peer is taken for gone (5 s): the higher name waits for
    /// two periods, and the first dial after it comes within one more.
    var redialPatience: Duration { period * 5 }
    /// How long the link of an earlier life is watched for signs of a second one (5 s): some exchanges.
    var oldLifeWatch: Duration { period * 5 }
    /// How long two nodes of one name are both no witnesses after both were last seen (120 s): older evidence is unusable anyway.
    var duplicateMemory: Duration { expiry }
    /// By when every broker has come by itself to a node that has started (35 s).
    var brokersReturn: Duration { heartbeat * 7 / 6 }
    /// How long a difference must last, beside two exchanges, before it is told (5 s): below that it may be a registration on its
    /// way to both nodes, or sent once more.
    var persistence: Duration { heartbeat / 6 }
    /// A clock that has behaved for this long is no difference any more (60 s).
    var clockMemory: Duration { heartbeat * 2 }
    /// How long the other source of the warm-up may take once one is complete (2 s); far less than brokers take by themselves.
    var secondSnapshotWait: Duration { heartbeat / 15 }
    /// How long something is not tried again that did not work (20 s): the next heartbeat may change it.
    var refusalMemory: Duration { heartbeat * 2 / 3 }
    /// How long the proof may take that the clock which measured a goodbye's age ran all the while (10 s).
    var goodbyeProofLimit: Duration { period * 10 }
}
