# Users

users() {
    say "== users"
    check "an admin adds a user to the group mld, another not" add_users
    check "a member submits a job, which runs as that member" member_runs
    check "who is not in the group is refused, and told which daemon" outsider_is_refused
    check "a job's exit status is mlctl run's" exit_status
    check "a member may not cancel root's job" no_one_acts_for_another
    check "a training job trains, in the build for this processor" training
}

add_users() {
    useradd -m -s /bin/bash ada
    useradd -m -s /bin/bash bob
    useradd -m -s /bin/bash eve
    usermod -aG mld ada
    usermod -aG mld bob
    id -nG ada
}

member_runs() {
    local said
    said=$(run_as ada 'id -un; pwd' 2>/dev/null)
    has "$said" ada
    has "$said" /home/ada
}

outsider_is_# status_of FILE COMMAND... leaves what the command prints, its errors and its status in FILE, FILE.error and FILE.status.
status_of() {
    local file=$1 status=0
    shift
    "$@" >"$file" 2>"$file.error" || status=$?
    echo "$status" >"$file.status"
}
refused() {
    local said status=0
    said=$(as eve mlctl list 2>&1) || status=$?
    same "$status" 3
    has "$said" /run/mld/mld.sock
    echo "$said" | tail -1
}

exit_status() {
    local status=0
    run_as ada 'exit 7' || status=$?
    same "$status" 7
}

no_one_acts_for_another() {
    local id
    id=$(command_job 'sleep 300' | submit bob)
    refused as ada mlctl cancel "$id"
    as bob mlctl cancel "$id"
}

training() {
    local id
    mkdir -p /home/ada/train
    python3 -c '
import random
random.seed(1)
print("a,b,label")
for _ in range(200):
    a, b = random.random(), random.random()
    print(f"{a:.3f},{b:.3f},{int(a + b > 1)}")' >/home/ada/train/data.csv
    cat >/home/ada/train/job.toml <<'JOB'
name = "plane"
[resources]
cpus = 1
memory = "256 MiB"
time = "20 min"
[train]
task = "classification"
epochs = 3
batch-size = 16
optimizer = "sgd"
loss = "binary-crossentropy"
metrics = ["accuracy"]
seed = 1
[data]
reader = "csv"
path = "."
file = "data.csv"
target = "label"
validation-split = 0
[[model.layer]]
type = "dense"
units = 1
activation = "sigmoid"
JOB
    chown -R ada: /home/ada/train
    id=$(as ada sh -c 'cd train && mlctl submit job.toml')
    mlctl wait "$id"
    same "$(field "$id" state)" succeeded
    as ada test -s "/var/lib/mld/jobs/$id/output/model/weights.safetensors"
    as ada mltrain --version
}
