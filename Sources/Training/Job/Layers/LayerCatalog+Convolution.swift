extension LayerCatalog {
    static let convolution: [String: Reader] = [:]
}
