/// How the learning rate changes from step to step: a factor on the optimiser's own.
package protocol Schedule: Sendable {
    /// The name in job files, which is Keras's in kebab-case.
    var name: String { get }

    /// - Parameter step: counted from 1.
    func factor(step: Int) -> Float
}

/// The same rate throughout.
package struct ConstantSchedule: Schedule {
    package let name = "constant"

    package init() {}

    package func factor(step: Int) -> Float { 1 }
}
