import Remoting

/// RocketMQ's NameServer settings under RocketMQ's names (protocol.md 5.1, 5.2), as `namesrv.properties` holds them.
///
/// Integers are 32 bits wide where Java's are `int`. Only those that say so are read while the node runs; the others are
/// stored and reported, and some have no meaning for this server.
public struct NamesrvProperties: Hashable, Sendable {
    // MARK: Paths. No request can change them.

    /// Informative; empty for none.
    public var rocketmqHome = ""
    /// The key-value file; empty for none.
    public var kvConfigPath = ""
    /// Where 318 stores the settings; empty, the default, means nowhere: no request makes the node write a file that the
    /// operator has not named.
    public var configStorePath = ""
    /// Keys that 318 refuses besides the fixed ones, with `;` between them.
    public var configBlackList = "configBlackList;configStorePath;kvConfigPath"

    // MARK: Read while the node runs

    /// Whether routes carry `orderTopicConf`.
    public var orderMessageEnable = false
    /// Whether brokers get the order configuration back when they register.
    public var returnOrderTopicConfigToBroker = true
    /// Whether a slave is shown as the master of a group that lost it (2.6 step 5).
    public var supportActingMaster = false
    /// Serves 206.
    public var enableAllTopicList = true
    /// Serves 224, 311, 312, 313.
    public var enableTopicList = true
    /// Sends 905 (2.22).
    public var notifyMinBrokerIdChanged = false
    /// Whether routes are refused for a while after the start (4.9).
    public var needWaitForService = false
    /// For how many seconds.
    public var waitSecondsForService: Int32 = 45
    /// Whether a registration removes the topics it does not name (2.5 step 10a).
    public var deleteTopicWithBrokerRegistration = false

    // MARK: Read by the shell

    /// 0 lets the system choose.
    public var listenPort: Int32 = 9876
    /// An IP address.
    public var bindAddress = "0.0.0.0"
    /// Milliseconds between scans for silent brokers. 10,000 as in 4.x; 5.x has 5,000.
    public var scanNotActiveBrokerInterval: Int64 = 10_000
    /// Seconds after which an idle connection is closed.
    public var serverChannelMaxIdleTimeSeconds: Int32 = 120
    /// Whether newer clients are sent elsewhere before the node stops (1.13).
    public var enableShutdownGracefully = false
    /// For how many seconds.
    public var shutdownWaitTimeSeconds: Int32 = 30

    // MARK: Stored and reported only

    /// Cluster test mode, which this server does not have.
    public var productEnvName = "center"
    /// Cluster test mode, which this server does not have.
    public var clusterTest = false
    /// One thread serves everything.
    public var clientRequestThreadPoolNums: Int32 = 8
    /// One thread serves everything.
    public var defaultThreadPoolNums: Int32 = 16
    /// There is no queue.
    public var clientRequestThreadPoolQueueCapacity: Int32 = 50_000
    /// There is no queue.
    public var defaultThreadPoolQueueCapacity: Int32 = 10_000
    /// There is no queue, so none is ever full.
    public var unRegisterBrokerQueueCapacity: Int32 = 3_000
    /// There is no controller.
    public var enableControllerInNamesrv = false
    /// Netty's.
    public var serverWorkerThreads: Int32 = 8
    /// Netty's.
    public var serverCallbackExecutorThreads: Int32 = 0
    /// Netty's.
    public var serverSelectorThreads: Int32 = 3
    /// Netty's.
    public var serverOnewaySemaphoreValue: Int32 = 256
    /// Netty's.
    public var serverAsyncSemaphoreValue: Int32 = 64
    /// Bytes; 0 leaves it to the system.
    public var serverSocketSndBufSize: Int32 = 0
    /// Bytes; 0 leaves it to the system.
    public var serverSocketRcvBufSize: Int32 = 0
    /// Bytes; 0 leaves it to the server.
    public var writeBufferHighWaterMark: Int32 = 0
    /// Bytes; 0 leaves it to the server.
    public var writeBufferLowWaterMark: Int32 = 0
    /// Connections the system may hold for us to accept.
    public var serverSocketBacklog: Int32 = 1_024
    /// Netty's.
    public var serverPooledByteBufAllocatorEnable = true
    /// Netty's.
    public var useEpollNativeSelector = false
    /// Netty's.
    public var serverNettyWorkerGroupEnable = true

    /// Keys of the `-c` file that RocketMQ does not know; reported, never read.
    public internal(set) var unknownKeys: [String: String] = [:]

    /// RocketMQ's defaults but for the scan interval, without paths.
    public init() {}

    /// RocketMQ's defaults with its usual places.
    ///
    /// - Parameters:
    ///   - home: `ROCKETMQ_HOME`.
    ///   - userHome: the user's home directory; the key-value file is `namesrv/kvConfig.json` below it.
    public init(home: String?, userHome: String?) {
        rocketmqHome = home ?? ""
        if let userHome { kvConfigPath = "\(userHome)/namesrv/kvConfig.json" }
    }
}
