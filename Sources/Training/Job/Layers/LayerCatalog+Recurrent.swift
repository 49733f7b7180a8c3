extension LayerCatalog {
    static let recurrent: [String: Reader] = [:]
}
