import CKernels

// Between images and tiles.
extension Winograd {
    private typealias T = WinogradTransforms

    /// `B' d B` of a block's tiles, `[36][count][channels]`.
    @inline(never)
    func transformInputs(_ images: FloatPointer, _ plane: Plane, channels: Int, _ block: Block) {
        let step = block.step(channels)
        let temporary = block.tile
        block.zeros.update(repeating: 0, count: Winograd.reach * channels)
        for t in 0..<block.count {
            let place = plane.place(block.first + t)
            let (y, x) = (place.y - plane.top, place.x - plane.left)
            let image = images + place.image * plane.height * plane.width * channels
            // Beyond an edge stand zeros: rows of them, and columns that are left out.
            @inline(__always)
            func row(_ i: Int) -> FloatPointer {
                y + i >= 0 && y + i < plane.height ? image + ((y + i) * plane.width + x) * channels : block.zeros
            }
            let (r0, r1, r2, r3, r4, r5) = (row(0), row(1), row(2), row(3), row(4), row(5))
            for c in stride(from: 0, to: channels, by: lanes) {
                for column in 0..<Winograd.reach {
                    let to = temporary + column * lanes
                    if x + column >= 0 && x + column < plane.width {
                        let at = column * channels + c
                        let d = (
                            load(r0 + at), load(r1 + at), load(r2 + at), load(r3 + at), load(r4 + at), load(r5 + at)
                        )
                        T.put(T.input(d), to, Winograd.reach * lanes)
                    } else {
                        let zero = Vector(repeating: 0)
                        T.put((zero, zero, zero, zero, zero, zero), to, Winograd.reach * lanes)
                    }
                }
                let to = block.v + t * channels + c
                for row in 0..<Winograd.reach {
                    T.put(
                        T.input(T.six(temporary + row * Winograd.reach * lanes, lanes)),
                        to + row * Winograd.reach * step, step)
                }
            }
        }
    }

    /// `A' m A` of a block's tiles, with what follows it, into the images.
    @inline(never)
    func transformOutputs(
        _ block: Block, _ plane: Plane, channels: Int, into images: FloatPointer, bias: FloatPointer?, relu: Bool,
        accumulate: Bool
    ) {
        let step = block.step(channels)
        let temporary = block.tile
        let zero = Vector(repeating: 0)
        let pitch = plane.outputWidth * channels
        for t in 0..<block.count {
            let (image, y, x) = plane.place(block.first + t)
            let to = images + ((image * plane.outputHeight + y) * plane.outputWidth + x) * channels
            let rows = min(Winograd.side, plane.outputHeight - y)
            let columns = min(Winograd.side, plane.outputWidth - x)
            for c in stride(from: 0, to: channels, by: lanes) {
                let from = block.m + t * channels + c
                for column in 0..<Winograd.reach {
                    let v = T.output(T.six(from + column * step, Winograd.reach * step))
                    let at = temporary + column * lanes
                    store(at, v.0)
                    store(at + Winograd.reach * lanes, v.1)
                    store(at + 2 * Winograd.reach * lanes, v.2)
                    store(at + 3 * Winograd.reach * lanes, v.3)
                }
                let b = bias.map { load($0 + c) } ?? zero
                @inline(__always)
                func put(_ to: FloatPointer, _ value: Vector) {
                    var value = value + b
                    if relu { value = mld_max(value, zero) }
                    if accumulate { value += load(to) }
                    store(to, value)
                }
                for row in 0..<rows {
                    let v = T.output(T.six(temporary + row * Winograd.reach * lanes, lanes))
                    let at = to + row * pitch + c
                    put(at, v.0)
                    if columns > 1 { put(at + channels, v.1) }
                    if columns > 2 { put(at + 2 * channels, v.2) }
                    if columns > 3 { put(at + 3 * channels, v.3) }
                }
            }
        }
    }

    /// `A dy A'` of a block's tiles, `[36][count][filters]`.
    @inline(never)
    func transformGradients(_ gradients: FloatPointer, _ plane: Plane, _ block: Block) {
        let filters = shape.filters
        let step = block.step(filters)
        let temporary = block.tile
        let zero = Vector(repeating: 0)
        let pitch = plane.outputWidth * filters
        for t in 0..<block.count {
            let (image, y, x) = plane.place(block.first + t)
            let from = gradients + ((image * plane.outputHeight + y) * plane.outputWidth + x) * filters
            let rows = min(Winograd.side, plane.outputHeight - y)
            let columns = min(Winograd.side, plane.outputWidth - x)
            for c in stride(from: 0, to: filters, by: lanes) {
                for column in 0..<Winograd.side {
                    let at = from + column * filters + c
                    let to = temporary + column * lanes
                    if column < columns {
                        let d = (
                            load(at), rows > 1 ? load(at + pitch) : zero, rows > 2 ? load(at + 2 * pitch) : zero,
                            rows > 3 ? load(at + 3 * pitch) : zero
                        )
                        T.put(T.gradient(d), to, Winograd.side * lanes)
                    } else {
                        T.put((zero, zero, zero, zero, zero, zero), to, Winograd.side * lanes)
                    }
                }
                let to = block.m + t * filters + c
                for row in 0..<Winograd.reach {
                    let at = temporary + row * Winograd.side * lanes
                    T.put(
                        T.gradient((load(at), load(at + lanes), load(at + 2 * lanes), load(at + 3 * lanes))),
                        to + row * Winograd.reach * step, step)
                }
            }
        }
    }
}
