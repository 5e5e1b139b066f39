/// Where a header's text lies: in the frame it came with, or unescaped in the header's own scratch memory.
///
/// Offsets instead of pointers, since the scratch memory may move while it grows.
struct TextSpan {
    enum Place: UInt8 { case absent, frame, scratch }

    var place: Place
    var offset: UInt32
    var count: UInt32

    static let absent = TextSpan(place: .absent, offset: 0, count: 0)

    init(place: Place, offset: Int, count: Int) {
        self.place = place
        self.offset = UInt32(offset)
        self.count = UInt32(count)
    }
}
