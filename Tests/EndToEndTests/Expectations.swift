import TestSupport
import Testing

extension RawFrame {
    /// Records an issue unless the answer is a success.
    func expectOK(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(code == 0, "\(headerText)", sourceLocation: sourceLocation)
    }
}
