import Testing

/// The whole output must be exactly this; what follows the first difference is rarely of help, so it is shown whole.
func expectSnapshot(_ actual: String, _ expected: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(actual == expected, sourceLocation: sourceLocation)
}
