import LinuxSystem

/// Looks for cards: opens the library, and asks who is there. All of it may hang in a driver.
enum NVMLSearch {
    /// A card that has told who it is, though perhaps no more.
    struct Card: Sendable {
        var index: Int
        var device: NVML.Device
        var uuid: String
        var name: String
        var isDivided: Bool
        var answer: NVMLAnswer
    }

    /// What was found.
    struct Result: Sendable {
        /// Nil where it could not be opened.
        var library: NVML?
        /// There is no such library: no driver.
        var isAbsent = false
        /// Why nothing can be told of any card.
        var reason: String?
        var cards: [Card] = []
        /// By index: those that are there and gave no name, with the reason. They may come back.
        var lost: [(index: Int, reason: String)] = []
        /// Those that are not for us, or have no meter.
        var refused: [(index: Int, reason: String)] = []
    }

    static func open(_ name: String) -> Result {
        do throws(NVML.Opening) {
            return look(try NVML(library: name))
        } catch {
            guard case .unusable(let reason) = error else { return Result(isAbsent: true) }
            return Result(reason: reason)
        }
    }

    /// - Parameter indices: the cards to look at; nil for all.
    static func look(_ library: NVML, at indices: [Int]? = nil) -> Result {
        var result = Result(library: library)
        let count: Int
        do throws(NVML.Failure) { count = try library.count() } catch {
            result.reason = error.message
            return result
        }
        for index in indices ?? Array(0..<count) where index < count {
            do throws(NVML.Failure) {
                let card = try card(index, library)
                if card.answer.hasNoMeter {
                    result.refused.append((index, library.failure(NVML.Failure.notSupported).message))
                } else {
                    result.cards.append(card)
                }
            } catch {
                // The driver counts cards that are another's too.
                if error.code == NVML.Failure.noPermission {
                    result.refused.append((index, error.reason))
                } else {
                    result.lost.append((index, error.reason))
                }
            }
        }
        return result
    }

    private static func card(_ index: Int, _ library: NVML) throws(NVML.Failure) -> Card {
        let device = try library.device(index)
        let uuid = try library.uuid(device)
        return Card(
            index: index, device: device, uuid: uuid, name: try library.name(device),
            isDivided: library.isDivided(device), answer: NVMLAnswer(library, device, since: nil))
    }
}
