extension ConvolutionShape {
    /// What the fast kernels must compute, for one image: `y`, and given `dy`, the gradients of the image and the kernel.
    package func reference(
        _ x: [Double], kernel: [Double], bias: [Double]?, gradient dy: [Double]? = nil
    ) -> (y: [Double], dx: [Double], dkernel: [Double]) {
        var y = [Double](repeating: 0, count: outputCount)
        var dx = [Double](repeating: 0, count: inputCount)
        var dkernel = [Double](repeating: 0, count: kernelCount)
        for oy in 0..<height.output {
            for ox in 0..<width.output {
                for filter in 0..<filters {
                    let out = (oy * width.output + ox) * filters + filter
                    y[out] = bias?[filter] ?? 0
                    for ky in 0..<height.kernel {
                        for kx in 0..<width.kernel {
                            let iy = oy * height.stride + ky * height.dilation - height.before
                            let ix = ox * width.stride + kx * width.dilation - width.before
                            guard 0..<height.input ~= iy, 0..<width.input ~= ix else { continue }
                            for c in 0..<groupChannels {
                                let channel = filter / groupFilters * groupChannels + c
                                let at = (iy * width.input + ix) * channels + channel
                                let weight = ((ky * width.kernel + kx) * groupChannels + c) * filters + filter
                                y[out] += x[at] * kernel[weight]
                                guard let dy else { continue }
                                dx[at] += dy[out] * kernel[weight]
                                dkernel[weight] += dy[out] * x[at]
                            }
                        }
                    }
                }
            }
        }
        return (y, dx, dkernel)
    }
}
