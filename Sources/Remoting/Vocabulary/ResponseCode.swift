// Response codes (protocol.md 1.11, appendix B). Plain numbers, since any number may arrive.

// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
/// How a request ended; the names are RocketMQ's.
public enum ResponseCode {
    // MARK: From the NameServer, some from brokers too
    public static let success: Int32 = 0
    public static let systemError: Int32 = 1
    public static let systemBusy: Int32 = 2
    public static let requestCodeNotSupported: Int32 = 3
    public static let noPermission: Int32 = 16
    public static let topicNotExist: Int32 = 17
    public static let queryNotFound: Int32 = 22
    public static let goAway: Int32 = 1_500

    // MARK: From brokers
    public static let flushDiskTimeout: Int32 = 10
    public static let slaveNotAvailable: Int32 = 11
    public static let flushSlaveTimeout: Int32 = 12
    public static let messageIllegal: Int32 = 13
    public static let serviceNotAvailable: Int32 = 14
    public static let versionNotSupported: Int32 = 15
    public static let pullNotFound: Int32 = 19
    public static let pullRetryImmediately: Int32 = 20
    public static let pullOffsetMoved: Int32 = 21
    public static let subscriptionParseFailed: Int32 = 23
    public static let subscriptionNotExist: Int32 = 24
    public static let subscriptionNotLatest: Int32 = 25
    public static let subscriptionGroupNotExist: Int32 = 26
    public static let invalidParameter: Int32 = 29
    public static let noBuyerID: Int32 = 204
    public static let notInCurrentUnit: Int32 = 205
    public static let consumerNotOnline: Int32 = 206
    public static let flowControl: Int32 = 215
    public static let notLeaderForQueue: Int32 = 501
    public static let illegalOperation: Int32 = 604
}
