package import Tensors

/// A part of a shard's arena.
package struct Slot: Hashable, Sendable {
    let index: Int
}

/// Where everything lies that a step touches, fixed before the first one.
///
/// The parameters, each shard's gradients of them and the optimiser's moments are flat buffers of ``parameterCount``
/// floats with the same offsets. Each shard has one arena of ``arenaCount`` floats for activations, their gradients and
/// scratch; slots whose lifetimes do not meet share memory. Everything starts on a cache line.
package struct MemoryPlan: Sendable {
    /// The most samples a shard ever holds.
    package let rows: Int
    package let parameters: [Parameter]
    package let parameterCount: Int
    /// The floats at the start of the buffers that the optimiser learns; behind them lies state.
    package let trainableCount: Int
    /// Where each slot starts in the arena.
    package let offsets: [Int]
    package let arenaCount: Int

    /// Learnt numbers, without the padding between them.
    package var learntCount: Int { parameters.reduce(0) { $0 + ($1.momentum == nil ? $1.shape.count : 0) } }
}

extension MemoryPlan {
    /// Collects what the layers ask for, then lays it out.
    ///
    /// Time runs in ticks: 0 is the copying-in of the samples, then the layers forward (1 to N), the loss (N + 1), the
    /// layers backward (N + 2 to 2N + 1), and the end (2N + 2).
    package struct Builder {
        struct Request {
            let count: Int
            var first: Int
            var last: Int
        }

        /// When a slot of a layer is in use.
        package enum Lifetime: Sendable {
            case forward
            case backward
            /// Kept from forward to backward.
            case throughout
        }

        package let rows: Int
        let nodes: Int
        /// The layer being bound, for names and lifetimes.
        private(set) var node = 0
        private var nodeName = ""
        private(set) var requests: [Request] = []
        private var parameters: [Parameter] = []

        init(rows: Int, nodes: Int) {
            self.rows = rows
            self.nodes = nodes
        }

        var gatherTick: Int { 0 }
        var lossTick: Int { nodes + 1 }
        var endTick: Int { 2 * nodes + 2 }
        private var forwardTick: Int { node + 1 }
        private var backwardTick: Int { 2 * nodes + 1 - node }

        mutating func begin(node: Int, name: String) {
            self.node = node
            nodeName = name
        }

        /// A number of the layer's own, for what it draws.
        package var salt: UInt64 { 5000 + UInt64(node) }

        /// An array to learn, called `name` within the layer.
        package mutating func parameter(_ name: String, _ shape: Shape, _ initializer: Initializer) -> ParameterSlot {
            add(name, shape, initializer, momentum: nil)
        }

        /// An array that follows what the layer observes instead of being learnt, such as the mean of batches:
        /// after each training step `value = momentum value + (1 - momentum) observation`, where the observation is
        /// the sum of what the shards put in place of its gradient.
        package mutating func state(
            _ name: String, _ shape: Shape, _ initializer: Initializer, momentum: Float
        ) -> ParameterSlot {
            add(name, shape, initializer, momentum: momentum)
        }

        /// A parameter of an earlier layer, by its full name, to be read by this one too. Its gradient is written
        /// backward by the later layer first; the earlier one must add to it.
        package func existing(_ name: String) -> (slot: ParameterSlot, shape: Shape)? {
            guard let index = parameters.firstIndex(where: { $0.name == name }) else { return nil }
            return (ParameterSlot(index: index, count: parameters[index].count), parameters[index].shape)
        }

        private mutating func add(
            _ name: String, _ shape: Shape, _ initializer: Initializer, momentum: Float?
        ) -> ParameterSlot {
            parameters.append(
                Parameter(
                    name: nodeName + "." + name, shape: shape, offset: 0, initializer: initializer, node: node,
                    momentum: momentum))
            return ParameterSlot(index: parameters.count - 1, count: shape.count)
        }

        /// The output of the layer being bound, with its gradient.
        package mutating func output(_ shape: Shape) -> Tensor {
            Tensor(
                shape: shape, value: scratch(perSample: shape.count, .throughout),
                gradient: scratch(perSample: shape.count, .backward))
        }

        /// Room for `perSample` floats of each sample and `perShard` besides.
        package mutating func scratch(perSample: Int = 0, perShard: Int = 0, _ lifetime: Lifetime) -> Slot {
            let count = perSample * rows + perShard
            return switch lifetime {
            case .forward: slot(count, forwardTick, forwardTick)
            case .backward: slot(count, backwardTick, backwardTick)
            case .throughout: slot(count, forwardTick, backwardTick)
            }
        }

        mutating func slot(_ count: Int, _ first: Int, _ last: Int) -> Slot {
            requests.append(Request(count: FloatBuffer.aligned(count), first: first, last: last))
            return Slot(index: requests.count - 1)
        }

        /// Keeps a slot for the whole step: for masks, which layers far apart read.
        package mutating func keep(_ slot: Slot) {
            touch(slot, at: gatherTick)
            touch(slot, at: endTick)
        }

        /// Keeps a slot alive at a tick.
        mutating func touch(_ slot: Slot, at tick: Int) {
            requests[slot.index].first = min(requests[slot.index].first, tick)
            requests[slot.index].last = max(requests[slot.index].last, tick)
        }

        /// The layer being bound reads this tensor forward and backward, and writes its gradient backward.
        mutating func consume(_ tensor: Tensor) {
            touch(tensor.value, at: forwardTick)
            touch(tensor.value, at: backwardTick)
            if let gradient = tensor.gradient { touch(gradient, at: backwardTick) }
            if let mask = tensor.mask { keep(mask.tokens) }
        }

        /// Lays the slots out: the largest first, each at the lowest place that is free while it lives.
        func finish() -> MemoryPlan {
            var offsets = [Int](repeating: 0, count: requests.count)
            var placed: [Int] = []
            var total = 0
            let order = requests.indices.sorted { (-requests[$0].count, $0) < (-requests[$1].count, $1) }
            for index in order {
                let request = requests[index]
                let neighbours = placed.filter {
                    requests[$0].first <= request.last && request.first <= requests[$0].last
                }.sorted { offsets[$0] < offsets[$1] }
                var offset = 0
                for other in neighbours {
                    if offset + request.count <= offsets[other] { break }
                    offset = max(offset, offsets[other] + requests[other].count)
                }
                offsets[index] = offset
                total = max(total, offset + request.count)
                placed.append(index)
            }
            var laidOut = parameters
            var end = 0
            func place(_ wanted: (Parameter) -> Bool) {
                for index in laidOut.indices where wanted(laidOut[index]) {
                    laidOut[index].offset = end
                    end += FloatBuffer.aligned(laidOut[index].count)
                }
            }
            place { $0.isLearnt }
            let trainable = end
            place { !$0.isLearnt }
            return MemoryPlan(
                rows: rows, parameters: laidOut, parameterCount: end, trainableCount: trainable, offsets: offsets,
                arenaCount: total)
        }
    }
}
