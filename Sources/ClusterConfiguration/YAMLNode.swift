/// One value of a YAML document and the line it begins on, before anything is known about its meaning.
package struct YAMLNode {
    /// Its form.
    package enum Content {
        /// `quoted` tells `""` from nothing at all.
        case scalar(String, quoted: Bool)
        case sequence([YAMLNode])
        case mapping([YAMLEntry])
    }

    /// What it is.
    package var content: Content
    /// Counted from 1.
    package var line: Int

    /// Whether nothing, or YAML's word for it, stands where a value could.
    package var isNull: Bool {
        if case .scalar(let text, quoted: false) = content {
            text.isEmpty || text == "~" || text == "null"
        } else {
            false
        }
    }

    /// What the value is, for a sentence like "must be a list, not …".
    package var kind: String {
        switch content {
        case .scalar(let text, _): isNull ? "nothing" : quoted(text)
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// One `key: value` of a mapping; keys may still repeat.
package struct YAMLEntry {
    /// As written.
    package var key: String
    /// The key's line, counted from 1: messages point here, for a value may begin lines below.
    package var line: Int
    /// What follows the colon.
    package var value: YAMLNode
}
