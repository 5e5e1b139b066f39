// Bugs that can be switched on in the code under test, to prove that the simulator's checks are alive: each must be
// caught within 1,000 seeds. They exist in debug builds only (`PLANTED_BUGS` in Package.swift); elsewhere `planted` is
// constant false and leaves no trace. At its place in the code each is one short expression.

/// A bug to be found.
public enum PlantedBug: String, CaseIterable, Sendable {
    // Ages
    /// A peer's age is not charged with the round trip.
    case dropRoundTrip
    /// A peer's clock is read as if it were our own, as whoever compares times of day does.
    case foreignClock
    /// Clocks count as exact.
    case noDriftWidening
    /// The newest an event can be is charged with the round trip, too.
    case newestChargedToo
    /// What peers said is reported as heard first-hand.
    case relayHearsay
    /// Ages are taken in that nothing asked for.
    case adoptUnasked
    /// One nonce takes in any number of answers.
    case adoptTwice
    /// Events from before the first contact with a peer's clock count.
    case adoptBeforeContact
    /// A peer's clock that stood still changes nothing.
    case ignorePeerStalls
    /// One's own clock that stood still changes nothing.
    case ignoreOwnStalls
    /// What a peer said does not age while the peer is away.
    case agesStandStill

    // Departures
    /// Evictions are not remembered.
    case forgetFloor
    /// Goodbyes are not remembered.
    case forgetTombstones
    /// Goodbyes are forgotten long before evidence has run out.
    case shortRetention
    /// Goodbyes are never forgotten.
    case tombstonesForEver
    /// Goodbyes beat what came after them.
    case flipTombstone
    /// A heartbeat that raced the goodbye brings its broker back.
    case noHeartbeatSlack
    /// A hold goes on after the goodbye that ended what it rests on.
    case goodbyeReleasesNothing

    // Warm-up
    /// Ready from the start.
    case readyAtOnce
    /// A node that is filling up serves as a source.
    case snapshotWhileWarming
    /// A node that is filling up gives evidence.
    case answerWhileWarming
    /// What only a snapshot vouches for stays.
    case provisionalForEver
    /// All parts of a snapshot are sent at once.
    case snapshotAtOnce

    // Protection
    /// A hold moves the time stamp of the last heartbeat.
    case holdRefreshes
    /// An open connection elsewhere holds for ever.
    case openIsForEver
    /// Signs of life from before the close count as signs after it.
    case beforeCloseCounts
    /// One witness is enough, whatever is configured.
    case oneWitness
    /// The second scan does not see the hold.
    case scanForgetsHold
    /// Mode observe puts removals off.
    case observeHolds

    // Learning
    /// What was learned enters the digest of what was heard.
    case learnedInDigest
    /// What was learned answers QUERY_DATA_VERSION.
    case learnedAnswersQuery
    /// What was learned stands beside what was heard, in the same place.
    case learnedBesideFirstHand
    /// What was learned stays when its evidence has run out.
    case learnedForEver

    // Comparing
    /// A changed registration leaves its former item in the sketch.
    case sketchKeepsOld
    /// A sketch that did not decode counts as decoded.
    case decodeUnchecked
    /// Equal sets are reconciled all the same.
    case compareEquals
    /// Topics that a broker dropped stay in its image.
    case residueInImage
    /// Divergences never end.
    case divergenceForEver

    // Operators' writes
    /// Writes are taken over whether or not `replicate:` says so.
    case replicateUnasked
    /// Of two writes the one that arrives last wins.
    case lastArrivalWins

    // Links
    /// The digest of an answer that nothing asked for is believed.
    case lateDigestCounts
    /// Frames of a link that a newer life has replaced are taken.
    case oldLinkSpeaks
    /// Two nodes of one name both vouch.
    case trustDuplicates

    #if PLANTED_BUGS
    /// The bug that this task runs with; nil = none. A task's own, as other tests run at the same time.
    @TaskLocal public static var active: PlantedBug?
    #endif
}

#if PLANTED_BUGS
/// Whether a bug is switched on.
public func planted(_ bug: PlantedBug) -> Bool { PlantedBug.active == bug }
#else
/// Never.
@inlinable @inline(__always) public func planted(_ bug: PlantedBug) -> Bool { false }
#endif
