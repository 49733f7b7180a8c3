import HTTPTypes
import Hummingbird
import JobAPI

extension Request {
    /// Under which a submission is sent; nil where it has none.
    func submissionKey() throws -> SubmissionKey? {
        guard let name = HTTPField.Name(SubmissionKey.header), let text = headers[name] else { return nil }
        guard let key = SubmissionKey(text) else {
            throw APIError(
                .invalidRequest, "the \(SubmissionKey.header) is none",
                hint: "1 to \(SubmissionKey.longest) printable characters of ASCII without spaces")
        }
        return key
    }
}
