import Basics

/// The keys of one section of the file. What is not a case is an unknown key.
package protocol SectionKey: RawRepresentable<String>, CaseIterable, Hashable, Sendable {
    /// How messages name the section.
    static var section: String { get }
}

/// A value and the line to blame for it.
package struct Located<Value> {
    /// The value.
    package var value: Value
    /// Counted from 1.
    package var line: Int
}

/// Why the text of one value is not what its key wants: the rest of a sentence that begins with that text.
package struct ValueFault: Error {
    /// `is no …`.
    package var message: String
    /// A fault.
    package init(_ message: String) { self.message = message }
}

/// Reads one mapping's values by key and type. Every fault goes to the log, and reading goes on with the default.
package struct MappingReader<Key: SectionKey> {
    /// Where a missing key is reported.
    package let line: Int
    /// Where faults go.
    package let log: FaultLog
    /// How messages name the mapping.
    private let section: String
    private var entries: [Key: YAMLEntry] = [:]
    /// False when something else stood in the mapping's place: then no key counts as missing.
    private var isMapping = true
    /// Whether something stood there that is no key: what seems to be missing may be meant by it.
    package private(set) var hasUnknownKeys = false
    /// The keys found, in the file's order.
    package private(set) var keys: [Key] = []

    /// Nothing, like an absent section, is an empty mapping.
    package init(_ node: YAMLNode?, line: Int, log: FaultLog, section: String = Key.section) {
        self.line = line
        self.log = log
        self.section = section
        guard let node, !node.isNull else { return }
        guard case .mapping(let found) = node.content else {
            log.report(line, "\(section) must be a mapping (key: value), not \(node.kind)")
            isMapping = false
            return
        }
        for entry in found { take(entry) }
    }

    private mutating func take(_ entry: YAMLEntry) {
        guard let key = Key(rawValue: entry.key) else {
            let known = Key.allCases.map(\.rawValue)
            let hint =
                nearestName(to: entry.key, among: known).map { "did you mean '\($0)'?" }
                ?? "known: \(known.joined(separator: ", "))"
            hasUnknownKeys = true
            log.report(entry.line, "unknown key \(quoted(entry.key)) in \(section); \(hint)")
            return
        }
        if let first = entries[key] {
            log.report(entry.line, "\(path(key)) is given twice, first on line \(first.line)")
            return
        }
        entries[key] = entry
        keys.append(key)
    }

    /// The key's name in messages: `timings.heartbeat`.
    private func path(_ key: Key) -> String {
        section == RootKey.section ? key.rawValue : "\(section).\(key.rawValue)"
    }

    /// The key's line; the section's when the key is absent.
    package func line(of key: Key) -> Int { entries[key]?.line ?? line }

    /// Says what is wrong with the value of `key`.
    package func report(_ key: Key, _ message: String) { log.report(line(of: key), "\(path(key)): \(message)") }

    private func reportMissing(_ key: Key) {
        if isMapping { log.report(line, "\(path(key)) is missing") }
    }

    /// The value of `key`, in whatever form; nil when absent or nothing.
    package func node(_ key: Key) -> YAMLNode? {
        guard let node = entries[key]?.value, !node.isNull else { return nil }
        return node
    }

    // MARK: - Sections and lists

    /// The mapping under `key`, empty when absent.
    package func mapping<Inner: SectionKey>(
        _ key: Key, of type: Inner.Type = Inner.self, section: String = Inner.section
    ) -> MappingReader<Inner> {
        MappingReader<Inner>(entries[key]?.value, line: line(of: key), log: log, section: section)
    }

    /// The mappings listed under `key`; `limit` is the largest allowed number of them.
    package func list<Item: SectionKey>(_ key: Key, of type: Item.Type = Item.self, limit: Int, required: Bool = false)
        -> [MappingReader<Item>]
    {
        items(key, limit: limit, required: required).map { MappingReader<Item>($0, line: $0.line, log: log) }
    }

    /// The single values listed under `key`, none twice; `convert` throws what is wrong with a text.
    package func values<Value: Hashable>(_ key: Key, limit: Int, _ convert: (String) throws(ValueFault) -> Value)
        -> [Value]
    {
        var values: [Value] = []
        var firstLines: [Value: Int] = [:]
        for node in items(key, limit: limit) {
            guard case .scalar(let text, _) = node.content, !node.isNull else {
                log.report(node.line, "\(path(key)): must list single values, not \(node.kind)")
                continue
            }
            do throws(ValueFault) {
                let value = try convert(text)
                if let first = firstLines[value] {
                    log.report(node.line, "\(path(key)): \(quoted(text)) is already given on line \(first)")
                    continue
                }
                firstLines[value] = node.line
                values.append(value)
            } catch {
                log.report(node.line, "\(path(key)): \(quoted(text)) \(error.message)")
            }
        }
        return values
    }

    /// The words listed under `key`, each one of `Value`'s.
    package func choices<Value: RawRepresentable<String> & CaseIterable & Hashable>(_ key: Key, limit: Int) -> [Value] {
        values(key, limit: limit) { (text) throws(ValueFault) in try choice(text) }
    }

    private func items(_ key: Key, limit: Int, required: Bool = false) -> [YAMLNode] {
        guard let node = entries[key]?.value, !node.isNull else {
            if required { reportMissing(key) }
            return []
        }
        guard case .sequence(let items) = node.content else {
            report(key, "must be a list (- …), not \(node.kind)")
            return []
        }
        if items.count > limit { report(key, "has \(items.count) entries; at most \(limit)") }
        if items.isEmpty, required { report(key, "is empty; at least 1 entry") }
        return Array(items.prefix(limit))
    }

    // MARK: - Scalars

    /// The text under `key`; nil when absent or faulty.
    package func text(_ key: Key) -> String? {
        guard let node = entries[key]?.value else { return nil }
        guard case .scalar(let text, _) = node.content, !node.isNull else {
            report(key, "must be a single value, not \(node.kind)")
            return nil
        }
        return text
    }

    /// Converts the text; `nil` from `convert` is a fault described by "is no …".
    private func value<Value>(_ key: Key, _ expected: String, _ convert: (String) -> Value?) -> Value? {
        guard let text = text(key) else { return nil }
        guard let value = convert(text) else {
            report(key, "\(quoted(text)) is no \(expected)")
            return nil
        }
        return value
    }

    private func ranged<Value: Comparable>(
        _ key: Key, _ value: Value?, in range: ClosedRange<Value>, default fallback: Value, _ show: (Value) -> String
    ) -> Value {
        guard let value else { return fallback }
        guard range.contains(value) else {
            report(key, "\(show(value)) is out of range; \(show(range.lowerBound)) to \(show(range.upperBound))")
            return fallback
        }
        return value
    }

    package func duration(_ key: Key, in range: ClosedRange<Duration>, default fallback: Duration) -> Duration {
        let expected = "duration; write a whole number and ms, s, m, h or d, as in \(fallback.text)"
        return ranged(key, value(key, expected) { Duration(text: $0) }, in: range, default: fallback) { $0.text }
    }

    package func byteSize(_ key: Key, in range: ClosedRange<Int>, default fallback: Int) -> Int {
        let expected = "size; write a whole number and B, KiB, MiB or GiB, as in \(ByteSize.text(fallback))"
        return ranged(key, value(key, expected, ByteSize.bytes), in: range, default: fallback, ByteSize.text)
    }

    package func integer(_ key: Key, in range: ClosedRange<Int>, default fallback: Int) -> Int {
        ranged(key, value(key, "whole number") { Int($0) }, in: range, default: fallback) { String($0) }
    }

    package func boolean(_ key: Key, default fallback: Bool) -> Bool {
        value(key, "boolean; write true or false") { Bool($0) } ?? fallback
    }

    package func choice<Value: RawRepresentable<String> & CaseIterable>(_ key: Key, default fallback: Value) -> Value {
        guard let text = text(key) else { return fallback }
        do throws(ValueFault) {
            return try choice(text)
        } catch {
            report(key, "\(quoted(text)) \(error.message)")
            return fallback
        }
    }

    private func choice<Value: RawRepresentable<String> & CaseIterable>(_ text: String) throws(ValueFault) -> Value {
        if let value = Value(rawValue: text) { return value }
        let known = Value.allCases.map(\.rawValue)
        let hint = nearestName(to: text, among: known).map { "; did you mean '\($0)'?" } ?? ""
        throw ValueFault("is none of \(known.joined(separator: ", "))\(hint)")
    }

    /// Any text that is not empty.
    func path(_ key: Key, default fallback: String) -> String {
        value(key, "path") { Self.isPath($0) ? $0 : nil } ?? fallback
    }

    static func isPath(_ text: String) -> Bool { !text.isEmpty && !text.utf8.contains(0) }

    package func name(_ key: Key, _ rule: NameRule = .label, default fallback: String) -> String {
        value(key, "name; write \(rule.description)") { rule.allows($0) ? $0 : nil } ?? fallback
    }

    // MARK: - Optional scalars; nil when nothing is given, or once a fault is reported

    /// Whether anything but nothing, or an empty list, stands under `key`, right or wrong.
    package func isGiven(_ key: Key) -> Bool {
        guard let node = entries[key]?.value, !node.isNull else { return false }
        if case .sequence(let items) = node.content { return !items.isEmpty }
        return true
    }

    func optionalPath(_ key: Key) -> String? {
        isGiven(key) ? value(key, "path") { Self.isPath($0) ? $0 : nil } : nil
    }

    func optionalAddress(_ key: Key, dialledBy dialers: String) -> Located<Address>? {
        isGiven(key) ? address(key) { $0.dialingFault(for: dialers) } : nil
    }

    /// An address that may also be every address of the machine.
    func optionalListeningAddress(_ key: Key) -> Located<Address>? {
        isGiven(key) ? address(key) { $0.listeningFault } : nil
    }

    // MARK: - Required scalars; nil once a fault is reported

    package func requiredName(_ key: Key, _ rule: NameRule = .label) -> Located<String>? {
        guard isPresent(key) else { return nil }
        return value(key, "name; write \(rule.description)") { rule.allows($0) ? $0 : nil }.map { located($0, key) }
    }

    package func requiredInteger(_ key: Key, in range: ClosedRange<Int>) -> Located<Int>? {
        guard isPresent(key), let number = value(key, "whole number", { Int($0) }) else { return nil }
        let checked = ranged(key, number, in: range, default: range.upperBound) { String($0) }
        return range.contains(number) ? located(checked, key) : nil
    }

    func requiredAddress(_ key: Key) -> Located<Address>? {
        isPresent(key) ? address(key) { $0.dialingFault(for: "brokers and clients") } : nil
    }

    private func address(_ key: Key, _ fault: (Address) -> String?) -> Located<Address>? {
        guard let text = text(key) else { return nil }
        guard let address = Address(text) else {
            report(key, "\(quoted(text)) is no address; write host:port, as in 127.0.0.1:9876")
            return nil
        }
        if let fault = fault(address) {
            report(key, "\(quoted(text)) \(fault)")
            return nil
        }
        return located(address, key)
    }

    private func isPresent(_ key: Key) -> Bool {
        if entries[key] == nil { reportMissing(key) }
        return entries[key] != nil
    }

    private func located<Value>(_ value: Value, _ key: Key) -> Located<Value> {
        Located(value: value, line: line(of: key))
    }
}
