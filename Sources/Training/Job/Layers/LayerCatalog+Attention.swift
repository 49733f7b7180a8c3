extension LayerCatalog {
    static let attention: [String: Reader] = [:]
}
