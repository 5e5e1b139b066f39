/// A scenario file to begin with, which says everything that such a file can say.
public enum ScenarioTemplate {
    /// The file's text; `name` is the experiment's.
    public static func text(name: String) -> String {
        """
        # An experiment: who takes part, what goes wrong when, and what must hold.
        #
        #   hearsay experiment run \(name).yaml                        on real processes
        #   hearsay experiment run \(name).yaml --driver simulated     the same in virtual time, in a moment
        #
        # Only name, title, brokers and topics are required; what is left out has the value given here or named beside it.
        # A duration is a whole number and ms, s, m, h or d (300ms, 2m). All of them are as you know them from RocketMQ;
        # a live run goes timeScale times faster.

        name: \(name)
        title: A broker loses its way to one of three nodes
        question: Does anybody lose the broker, and does anybody notice?

        timeScale: 10      # 1 to 100; with 10, heartbeats of 30 s come every 3 s, and 10 minutes take one
        duration: 10m      # from the moment when everybody is up and agrees; whole seconds to 1d
        seed: 1            # decides what chance decides; --seed overrides it

        # --- Who takes part -----------------------------------------------------------------------------------------

        nodes: 3           # NameServers, 1 to 9; they are called ns-1, ns-2, ns-3
        brokers:           # groups of a master and its slaves; broker-a:0 is the master of broker-a, broker-a:1 its slave
          - group: broker-a
            replicas: 2    # 1 to 4, default 1
          - group: broker-b
        topics:
          - name: Orders
            queues: 4      # on each broker, 1 to 64
            # groups: [broker-a, broker-b]    # which groups hold it; default: all
        clients:
          producers:       # called producer-1, producer-2, …
            count: 2       # default 1
            rate: 5        # messages per second, each producer, at their time whether or not others were answered
            topic: Orders  # default: the first topic
            avoidFaults: true       # whether a broker that failed is avoided for a while (sendLatencyFaultEnable)
          consumers:       # called consumer-1, …; each reads everything
            count: 1
            readFromSlaves: true    # whether a slave is read while its master is gone
        timings:           # RocketMQ's
          heartbeat: 30s   # how often brokers register with every node
          scan: 10s        # how often nodes look for silent brokers
          expiry: 2m       # how long a broker may be silent
          routePoll: 30s   # how often clients pull routes
        gossip:            # as in cluster.yaml; how the nodes gossip is what the arms differ in
          period: 1s       # how often two nodes compare; a tenth of that in a live run with timeScale 10, 100ms at least
          # closeGrace: 1s
          # witnesses: 1
          # replicate: [kv, perm]           # mode replicate only: KV entries and write permissions, too
          # applyUnregister: false
          # gateUnknownTopics: false
        # nameserver:      # Apache's properties for every node, as in cluster.yaml
        #   deleteTopicWithBrokerRegistration: false

        # What is compared: the same faults happen to each of
        #   off        RocketMQ's behaviour: nodes know nothing of each other
        #   observe    nodes compare what they heard and report differences
        #   protect    … and keep a broker that another node provably hears
        #   replicate  … and serve brokers that only others hear
        #   apache     an Apache NameServer; needs --apache-command, live only
        arms: [off, observe, protect, replicate]

        # --- What goes wrong ----------------------------------------------------------------------------------------
        #
        # Each entry has a time (at), one fault, and what goes with it:
        #   for: 5m            ends it; without, it stays to the end of the run
        #   every: 1m          repeats it from then on, until: 8m (default: the end of the run)
        #   apart: 30s         hits the processes named one after the other instead of all at once
        #
        # Who: ns-1, broker-a (all its replicas), broker-a:0, producer-1, nodes, brokers, masters, slaves, clients,
        # producers, consumers, majority (the first nodes that make one), minority (the others), everybody; several with
        # commas (in braces with `and`). Links: who -> whom is one way, one <-> other both ways; `others` is everybody not
        # on the other side.

        faults:
          - at: 1m
            for: 5m
            cut: broker-a:0 -> ns-2        # nothing gets through, and nobody is told; it arrives when the cut ends

          # The same for other faults: remove the first '#' of a line. Links:
          # - {at: 1m, for: 5m, partition: halves}                  # one | halves | ring | bridge; see the README
          # - {at: 1m, for: 5m, partition: {isolate: ns-2}, oneWay: true}    # nobody hears ns-2, but it hears all
          # - {at: 1m, for: 5m, partition: [[ns-1, broker-a], [ns-2, ns-3]]}  # these cannot talk; the others can
          # - {at: 1m, for: 5m, partition: halves, of: nodes}       # the nodes only; by default everybody takes a side
          # - {at: 1m, for: 5m, delay: ns-1 <-> others, by: 200ms, jitter: 50ms}
          # - {at: 1m, for: 5m, loss: brokers -> ns-2, percent: 30}
          # - {at: 1m, for: 5m, duplicate: nodes <-> nodes, percent: 10}     # simulated driver only
          # - {at: 1m, for: 5m, bandwidth: brokers -> ns-1, bytesPerSecond: 20KiB}
          # - {at: 1m, reset: broker-a -> ns-2}                     # connections break, once; new ones work
          # - {at: 1m, halfOpen: broker-a -> ns-2}                  # connections go dead silently; new ones work
          # Processes
          # - {at: 1m, kill: broker-a:0}                            # kill -9: the kernel ends its connections
          # - {at: 1m, for: 10s, kill: ns-2, keepsState: false}     # starts again after 10 s, its disk emptied
          # - {at: 1m, for: 5s, stop: nodes, apart: 1m}             # in order, and again: a rolling restart
          # - {at: 1m, powerLoss: broker-a:0}                       # nobody is told
          # - {at: 1m, for: 3m, pause: ns-2}                        # stands still (SIGSTOP)
          # Clocks
          # - {at: 1m, clockJump: ns-2, by: -1h}                    # live: needs libfaketime
          # - {at: 1m, for: 5m, clockDrift: ns-2, perMillion: 500}  # simulated driver only
          # Brokers
          # - {at: 1m, for: 10s, stop: broker-b, every: 1m}         # a flapping broker
          # - {at: 1m, move: broker-a:0}                            # comes back at another address
          # - {at: 1m, unregister: broker-a:0, reaches: ns-1}       # ends; only ns-1 hears its goodbye (or: nobody)
          # - {at: 1m, strayUnregister: broker-a:0, reaches: ns-2}  # a late or foreign goodbye of a living broker
          # - {at: 1m, createTopic: broker-a:0, topic: Payments}
          # Operators; reaches: which nodes, default all
          # - {at: 1m, putKeyValue: {namespace: ORDER_TOPIC_CONFIG, key: Orders, value: "broker-a:4"}, reaches: majority}
          # - {at: 1m, deleteKeyValue: {namespace: ORDER_TOPIC_CONFIG, key: Orders}, reaches: ns-1}
          # - {at: 1m, wipeWritePermission: broker-a, reaches: ns-1}
          # - {at: 1m, for: 5m, diskFull: ns-1}                     # KV entries cannot be written (live: needs prlimit)
          # And the end of it all
          # - {at: 8m, heal: all}                                   # ends what goes on, stops what repeats

        # --- What must hold -----------------------------------------------------------------------------------------
        #
        # A figure and its bound: `12`, `at most 12` (the same), `at least 12`, or `at most 50% of off` (another arm).
        # in: the arms it is for; default: all that have the figure. The figures (the README defines each):
        #   timeToNotice, falseEvictions, zombies, routeGap, timeToConverge, gossipBytes, divergence, alarms,
        #   wrongAnswers, unanswered, sendsFailed, sendFailureRate, sendsRetried, sendLatencyMedian, sendLatencyP99,
        #   longestSendOutage, unread

        checks:
          - falseEvictions: 0
            in: [protect, replicate]
          - falseEvictions: at least 60s   # that the experiment shows the problem at all
            in: [off]
          - timeToNotice: 45s
          - zombies: 0

        """
    }
}
