package import Tensors

/// Images and their classes, as bytes.
package struct LabelledImages: Sendable {
    package let images: IDXFile
    package let labels: IDXFile

    package var count: Int { images.count }
    /// The highest class number and one.
    package var classes: Int { Int(labels.bytes.max() ?? 0) + 1 }

    /// - Throws: `content` if there is not one label for each image, or none at all.
    package init(images: IDXFile, labels: IDXFile, path: String) throws(DatasetError) {
        guard labels.shape.rank == 0 else {
            throw DatasetError(.content, "labels of shape \(labels.shape), not one number each", path: path)
        }
        guard images.count == labels.count, images.count > 0, images.count <= Int(Int32.max) else {
            throw DatasetError(.content, "\(labels.count) labels for \(images.count) images", path: path)
        }
        self.images = images
        self.labels = labels
    }

    /// As model inputs and targets, in one pass.
    package func samples(_ normalization: Normalization) throws(TensorError) -> Samples {
        let features = try FloatBuffer(count: images.bytes.count)
        let targets = try FloatBuffer(count: labels.bytes.count)
        let table = normalization.table
        table.withUnsafeBufferPointer { table in
            images.bytes.withUnsafeBufferPointer { bytes in
                for i in 0..<bytes.count { features.base[i] = table[Int(bytes[i])] }
            }
        }
        labels.bytes.withUnsafeBufferPointer { bytes in
            for i in 0..<bytes.count { targets.base[i] = Float(bytes[i]) }
        }
        return try Samples(
            count: count, shape: images.shape, features: features, targetShape: try Shape([]), targets: targets)
    }
}
