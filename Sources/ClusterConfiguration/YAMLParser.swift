// From bytes to a node tree, on libyaml's event parser. The tree is small by its limits, whatever the bytes: a file has
// at most 1 MiB, aliases are refused (they are how a short file becomes a large one), depth and node count are bounded.

import CYAML

/// What keeps a hostile file small.
enum YAMLLimits {
    /// A thousand times the shipped file.
    static let fileBytes = 1 << 20
    /// A valid file needs 6.
    static let depth = 32
    /// 1 MiB of one-letter scalars would be half a million nodes of some 50 bytes each; no cluster needs a tenth.
    static let nodes = 50_000
}

/// Why bytes are no document of ours. Parsing stops here: what follows could not be trusted.
struct YAMLSyntaxError: Error {
    var line: Int?
    var message: String
}

/// Pulls libyaml's events and builds the tree.
struct YAMLParser: ~Copyable {
    private enum Event {
        case scalar(String, quoted: Bool)
        case sequenceStart, sequenceEnd, mappingStart, mappingEnd
        case alias
        case documentStart, documentEnd, streamStart, streamEnd
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeBufferPointer<UInt8>
    private var line = 1
    private var nodeCount = 0

    /// The file's one document; nil when it holds nothing but comments.
    static func document(in bytes: [UInt8]) throws(YAMLSyntaxError) -> YAMLNode? {
        guard bytes.count <= YAMLLimits.fileBytes else {
            throw YAMLSyntaxError(line: nil, message: "larger than 1 MiB")
        }
        return try bytes.withUnsafeBufferPointer { (input) throws(YAMLSyntaxError) in
            // libyaml would count a byte order mark as a column.
            let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
            var parser = YAMLParser(input.starts(with: mark) ? .init(rebasing: input.dropFirst(3)) : input)
            return try parser.document()
        }
    }

    /// `input` must outlive the parser.
    private init(_ input: UnsafeBufferPointer<UInt8>) {
        self.input = input
        parser = .allocate(capacity: 1)
        precondition(yaml_parser_initialize(parser) == 1, "no memory for a YAML parser")
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    private mutating func document() throws(YAMLSyntaxError) -> YAMLNode? {
        var root: YAMLNode?
        while true {
            switch try next() {
            case .streamEnd: return root
            case .streamStart, .documentEnd: continue
            case .documentStart where root != nil: throw failure("a second document: one file holds one")
            default: root = try node(try next(), depth: 1)
            }
        }
    }

    /// The node that `event` begins.
    private mutating func node(_ event: Event, depth: Int) throws(YAMLSyntaxError) -> YAMLNode {
        let start = line
        nodeCount += 1
        guard depth <= YAMLLimits.depth else { throw failure("nested deeper than \(YAMLLimits.depth) levels") }
        guard nodeCount <= YAMLLimits.nodes else { throw failure("more than \(YAMLLimits.nodes) values") }
        switch event {
        case .scalar(let text, let quoted): return YAMLNode(content: .scalar(text, quoted: quoted), line: start)
        case .sequenceStart: return YAMLNode(content: .sequence(try items(depth: depth)), line: start)
        case .mappingStart: return YAMLNode(content: .mapping(try entries(depth: depth)), line: start)
        case .alias: throw failure("an alias (*name): write the value out")
        default: preconditionFailure("libyaml began a node with \(event)")
        }
    }

    private mutating func items(depth: Int) throws(YAMLSyntaxError) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let event = try next()
            if case .sequenceEnd = event { return items }
            items.append(try node(event, depth: depth + 1))
        }
    }

    private mutating func entries(depth: Int) throws(YAMLSyntaxError) -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        while true {
            let event = try next()
            if case .mappingEnd = event { return entries }
            guard case .scalar(let key, _) = event else { throw failure("a key must be a word") }
            let keyLine = line
            entries.append(YAMLEntry(key: key, line: keyLine, value: try node(try next(), depth: depth + 1)))
        }
    }

    /// The next event, copied out of libyaml's memory; `line` is its line from here on.
    private mutating func next() throws(YAMLSyntaxError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw parserFailure() }
        defer { yaml_event_delete(&event) }
        line = event.start_mark.line + 1
        switch event.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_STREAM_END_EVENT: return .streamEnd
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_ALIAS_EVENT: return .alias
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_SEQUENCE_START_EVENT:
            try refuseTag(event.data.sequence_start.tag)
            return .sequenceStart
        case YAML_MAPPING_START_EVENT:
            try refuseTag(event.data.mapping_start.tag)
            return .mappingStart
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            try refuseTag(scalar.tag)
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return .scalar(text, quoted: scalar.style != YAML_PLAIN_SCALAR_STYLE)
        default: preconditionFailure("libyaml event \(event.type.rawValue)")
        }
    }

    private func refuseTag(_ tag: UnsafeMutablePointer<yaml_char_t>?) throws(YAMLSyntaxError) {
        if tag != nil { throw failure("a tag (!name): types follow from the keys") }
    }

    private func failure(_ message: String) -> YAMLSyntaxError { YAMLSyntaxError(line: line, message: message) }

    /// libyaml's own words, with the hint that its most frequent complaint lacks.
    private func parserFailure() -> YAMLSyntaxError {
        let error = parser.pointee
        let problem = error.problem.map { String(cString: $0) } ?? "not enough memory"
        if error.error == YAML_READER_ERROR {
            let line = 1 + input.prefix(error.problem_offset).count { $0 == 0x0A }
            return YAMLSyntaxError(line: line, message: "not UTF-8 text: \(problem)")
        }
        let position = error.problem_mark
        var message = "not YAML: \(problem)"
        if let context = error.context { message += " (\(String(cString: context)))" }
        if position.index < input.count, input[position.index] == 0x09 { message += "; indent with spaces, not tabs" }
        return YAMLSyntaxError(line: position.line + 1, message: message)
    }
}
