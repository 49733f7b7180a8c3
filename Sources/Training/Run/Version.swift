import JobAPI

/// The release.
package var toolVersion: String { mldVersion }
