import ClusterConfiguration

extension FuzzTarget {
    /// cluster.yaml: values, or faults with their lines.
    static let clusterFile = FuzzTarget("clusterFile") {
        [
            Array(
                """
                cluster: {name: "c"}
                nodes:
                  - name: ns-1
                    listen: 127.0.0.1:9876
                    dataDirectory: data/ns-1
                    gossip: 127.0.0.1:9877
                    http: 127.0.0.1:9878
                  - {name: ns-2, listen: "[::1]:9886"}
                timings: &t
                  heartbeat: 30s   # c
                  expiry: 2m
                limits: {connections: 20000, frameBytes: 16MiB}
                gossip: {mode: observe, period: 1s, insecure: true, replicate: [kv, perm]}
                tls: {mode: permissive, testMode: true}
                log: {level: info, format: text}
                nameserver:
                  orderMessageEnable: true
                brokers:
                  - group: broker-a
                    replicas: [{id: 0, listen: "127.0.0.1:10911"}]
                    topics: [{name: T, readQueues: 4}]

                """.utf8)
        ]
    } run: { bytes in
        exercise { () throws(ConfigurationErrors) in
            _ = try ClusterConfiguration.parse(bytes: [UInt8](bytes), fileName: "cluster.yaml")
        }
    }

    /// The file of accounts.
    static let accountsFile = FuzzTarget("accountsFile") {
        [
            Array(
                "accounts:\n  - {accessKey: me, secretKey: \"1234567\", admin: false, classes: [lookup, register], networks: [10.0.0.0/8, \"fd00::/8\"]}\n"
                    .utf8)
        ]
    } run: { bytes in
        exercise { () throws(ConfigurationErrors) in
            _ = try AccountsFile.parse(bytes: [UInt8](bytes), fileName: "accounts.yaml")
        }
    }

    private static func exercise(_ parse: () throws(ConfigurationErrors) -> Void) {
        do throws(ConfigurationErrors) {
            try parse()
        } catch {
            precondition(!error.errors.isEmpty, "refused without a reason")
            for fault in error.errors {
                precondition(!fault.message.isEmpty && fault.line ?? 1 >= 1, "\(fault)")
            }
        }
    }
}
