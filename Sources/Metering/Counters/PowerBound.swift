/// More than such hardware draws, in watts, where nothing states its own maximum: our bounds.
enum PowerBound {
    static let package = 2_000.0
    static let memory = 1_000.0
    static let card = 2_500.0
    static let platform = 10_000.0
}
