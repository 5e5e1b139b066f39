/// RocketMQ's fixed delay levels: the DELAY property and the retries of a failed message name one of them.
public enum DelayLevels {
    private static let seconds: [Int64] = [
        1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1_200, 1_800, 3_600, 7_200,
    ]

    /// How long a message of a level waits: level 1 is 1 s, 18 and above are 2 h; zero and below do not wait.
    public static func delay(of level: Int32) -> Duration {
        level <= 0 ? .zero : .seconds(seconds[min(Int(level), seconds.count) - 1])
    }
}
