/// Bounds of everything a sketch holds or accepts.
public enum SketchLimits {
    /// Symbols in the longest prefix: 98 KB of memory, decodes about 3,000 differences. Beyond that the list is
    /// cheaper.
    public static let symbols = 4_096
    /// Symbols in one run: 17 KB, well inside a frame of 64 KB.
    public static let symbolsPerRun = 1_024
    /// Items in one set: a hundred times the largest cluster aimed at; keeps counts within four varint bytes.
    public static let items = 1 << 24
}
