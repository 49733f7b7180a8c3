/// A sorted set with O(log n) insertion and removal: a treap in one array, whose nodes know the next one in order, so that a walk
/// costs O(1) a step.
///
/// A sorted array moves half of itself on each insertion, which at a million waiting jobs is milliseconds; a heap cannot
/// remove from its middle or be walked in order without being taken apart.
struct OrderedSet<Element: Comparable & Sendable>: Sendable {
    private struct Node: Sendable {
        var element: Element
        var weight: UInt32
        var left = OrderedSet.none
        var right = OrderedSet.none
        /// In order, not in the tree.
        var next = OrderedSet.none
    }

    /// Where an element is, as long as the set is not changed.
    struct Position: Sendable { fileprivate var index: Int32 }

    private static var none: Int32 { -1 }

    private var nodes: ContiguousArray<Node> = []
    /// Slots of removed nodes, to be used again.
    private var vacant: ContiguousArray<Int32> = []
    private var root: Int32 = -1
    /// The smallest.
    private var head: Int32 = -1
    /// Weights come from a counter, not from chance, so that the same calls build the same tree.
    private var seed: UInt64 = 0

    var count: Int { nodes.count - vacant.count }
    var isEmpty: Bool { root == Self.none }

    var first: Element? { firstPosition.map { self[$0] } }

    var firstPosition: Position? { head == Self.none ? nil : Position(index: head) }

    func position(after position: Position) -> Position? {
        let next = nodes[Int(position.index)].next
        return next == Self.none ? nil : Position(index: next)
    }

    subscript(position: Position) -> Element {
        _read { yield nodes[Int(position.index)].element }
    }

    /// The smallest element greater than `element`, which need not be in the set.
    func first(after element: Element) -> Element? { firstPosition(after: element).map { self[$0] } }

    func firstPosition(after element: Element) -> Position? {
        let before = last(upTo: element)
        let next = before == Self.none ? head : nodes[Int(before)].next
        return next == Self.none ? nil : Position(index: next)
    }

    func contains(_ element: Element) -> Bool {
        let index = last(upTo: element)
        return index != Self.none && nodes[Int(index)].element == element
    }

    /// The largest element that is not greater.
    private func last(upTo element: Element) -> Int32 {
        var result = Self.none
        var index = root
        while index != Self.none {
            if element < nodes[Int(index)].element {
                index = nodes[Int(index)].left
            } else {
                result = index
                index = nodes[Int(index)].right
            }
        }
        return result
    }

    /// - Returns: false when it was there already.
    @discardableResult
    mutating func insert(_ element: Element) -> Bool {
        let before = last(upTo: element)
        if before != Self.none, nodes[Int(before)].element == element { return false }
        let weight = nextWeight()
        let new = take(Node(element: element, weight: weight))
        follow(before, by: new)
        // Down to where the new node outweighs the tree, which is then split into its two sides.
        var parent: (index: Int32, isLeft: Bool)?
        var index = root
        while index != Self.none, nodes[Int(index)].weight >= weight {
            let isLeft = element < nodes[Int(index)].element
            parent = (index, isLeft)
            index = isLeft ? nodes[Int(index)].left : nodes[Int(index)].right
        }
        let (left, right) = split(index, at: element)
        nodes[Int(new)].left = left
        nodes[Int(new)].right = right
        link(new, below: parent)
        return true
    }

    /// - Returns: false when it was not there.
    @discardableResult
    mutating func remove(_ element: Element) -> Bool {
        var parent: (index: Int32, isLeft: Bool)?
        var before = Self.none
        var index = root
        while index != Self.none, nodes[Int(index)].element != element {
            let isLeft = element < nodes[Int(index)].element
            if !isLeft { before = index }
            parent = (index, isLeft)
            index = isLeft ? nodes[Int(index)].left : nodes[Int(index)].right
        }
        if index == Self.none { return false }
        var inside = nodes[Int(index)].left
        while inside != Self.none {
            before = inside
            inside = nodes[Int(inside)].right
        }
        if before == Self.none {
            head = nodes[Int(index)].next
        } else {
            nodes[Int(before)].next = nodes[Int(index)].next
        }
        link(join(nodes[Int(index)].left, nodes[Int(index)].right), below: parent)
        vacant.append(index)
        if vacant.count == nodes.count {
            nodes.removeAll(keepingCapacity: nodes.count < 1024)
            vacant.removeAll(keepingCapacity: nodes.count < 1024)
            root = Self.none
        }
        return true
    }

    private mutating func follow(_ before: Int32, by new: Int32) {
        if before == Self.none {
            nodes[Int(new)].next = head
            head = new
        } else {
            nodes[Int(new)].next = nodes[Int(before)].next
            nodes[Int(before)].next = new
        }
    }

    /// The elements in order; O(n).
    var elements: [Element] {
        var result: [Element] = []
        result.reserveCapacity(count)
        var next = head
        while next != Self.none {
            result.append(nodes[Int(next)].element)
            next = nodes[Int(next)].next
        }
        return result
    }

    /// The longest way down; about 2 to 3 times log2 of the count. For tests.
    var depth: Int {
        var level = root == Self.none ? [] : [root]
        var depth = 0
        while !level.isEmpty {
            depth += 1
            level = level.flatMap { [nodes[Int($0)].left, nodes[Int($0)].right] }.filter { $0 != Self.none }
        }
        return depth
    }

    // MARK: - Tree

    private mutating func link(_ index: Int32, below parent: (index: Int32, isLeft: Bool)?) {
        guard let parent else {
            root = index
            return
        }
        if parent.isLeft {
            nodes[Int(parent.index)].left = index
        } else {
            nodes[Int(parent.index)].right = index
        }
    }

    /// The nodes of a tree below and above `element`. Recursion is as deep as the tree, about 2 log2 n.
    private mutating func split(_ index: Int32, at element: Element) -> (Int32, Int32) {
        if index == Self.none { return (Self.none, Self.none) }
        if nodes[Int(index)].element < element {
            let (left, right) = split(nodes[Int(index)].right, at: element)
            nodes[Int(index)].right = left
            return (index, right)
        }
        let (left, right) = split(nodes[Int(index)].left, at: element)
        nodes[Int(index)].left = right
        return (left, index)
    }

    /// One tree of two, all of `a` being below all of `b`.
    private mutating func join(_ a: Int32, _ b: Int32) -> Int32 {
        if a == Self.none { return b }
        if b == Self.none { return a }
        if nodes[Int(a)].weight >= nodes[Int(b)].weight {
            nodes[Int(a)].right = join(nodes[Int(a)].right, b)
            return a
        }
        nodes[Int(b)].left = join(a, nodes[Int(b)].left)
        return b
    }

    private mutating func take(_ node: Node) -> Int32 {
        if let index = vacant.popLast() {
            nodes[Int(index)] = node
            return index
        }
        nodes.append(node)
        return Int32(nodes.count - 1)
    }

    /// SplitMix64.
    private mutating func nextWeight() -> UInt32 {
        seed &+= 0x9E37_79B9_7F4A_7C15
        var z = seed
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return UInt32(truncatingIfNeeded: z ^ (z >> 31))
    }
}
