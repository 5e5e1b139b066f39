import FoundationEssentials

/// Prints one value as one line of JSON, members sorted by name.
func printJSON(_ value: some Encodable) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Values of strings, whole numbers and finite fractions always encode.
    guard let data = try? encoder.encode(value) else { preconditionFailure("\(value) has no JSON form") }
    printLine(String(decoding: data, as: UTF8.self))
}
