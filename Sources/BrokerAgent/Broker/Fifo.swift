/// A queue of values with access by distance from its front; taking from the front costs constant time on average.
struct Fifo<Element: Sendable>: Sendable {
    private var items: [Element?] = []
    private var head = 0

    var count: Int { items.count - head }
    var first: Element? { count == 0 ? nil : items[head] }
    var last: Element? { count == 0 ? nil : items[items.count - 1] }

    /// The element `distance` places behind the front.
    subscript(distance: Int) -> Element {
        guard distance >= 0, distance < count, let item = items[head + distance] else {
            preconditionFailure("element \(distance) of \(count)")
        }
        return item
    }

    mutating func append(_ element: Element) { items.append(element) }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let first = items[head]
        items[head] = nil
        head += 1
        // Moving the rest to the front now and then costs each element one move on average.
        if head > 64, head > items.count / 2 {
            items.removeFirst(head)
            head = 0
        }
        return first
    }

    mutating func removeAll(where condition: (Element) -> Bool) {
        items = items.dropFirst(head).filter { $0.map { !condition($0) } ?? false }
        head = 0
    }

    mutating func removeAll() {
        items.removeAll()
        head = 0
    }
}
