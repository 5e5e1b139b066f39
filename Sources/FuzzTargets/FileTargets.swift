import Remoting

extension FuzzTarget {
    /// kvConfig.json.
    static let keyValueFile = FuzzTarget("keyValueFile") {
        [KVConfigFile(configTable: ["ORDER_TOPIC_CONFIG": ["T1": "broker-a:8"], "N": [:]]).encoded()]
    } run: {
        guard let file = try? KVConfigFile(decoding: [UInt8]($0)) else { return }
        precondition((try? KVConfigFile(decoding: file.encoded())) == file, "\(file)")
    }

    /// A properties text: namesrv.properties, tls.properties and the body of 318. What it means is written again as a text
    /// that means the same.
    static let properties = FuzzTarget("properties") {
        [Array("# c\nlistenPort=9876\na : x\\u0041y\\\n   z\r\nb\\ c=d\n".utf8)]
    } run: {
        _ = (try? PropertiesText(decodingRequest: $0))?.encoded()
    }
}
