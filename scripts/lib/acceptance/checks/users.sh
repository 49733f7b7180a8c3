# Users

users() {
    say "== users"
    check "an admin adds a user to the group mld, another not" add_users
    check "a member submits a job, which runs as that member" member_runs
    check "who is not in the group is refused, and told which daemon" outsider_is_refused
    check "a job's exit status is mlctl run's" exit_status
    check "a member may not act on another's job, nor on root's" no_one_acts_for_another
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

member_runs() { same "$(run_as ada 'id -un; id -ru; pwd' 2>/dev/null)" "$(printf 'ada\n%s\n/home/ada' "$(id -u ada)")"; }

outsider_is_refused() {
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
    local owner id verb
    for owner in bob root; do
        id=$(command_job 'sleep 3000' | submit "$owner")
        within 120 in_state "$id" running
        for verb in cancel suspend requeue logs; do
            refused_saying "job $id belongs to $owner; you may not" as ada mlctl "$verb" "$id"
        done
        in_state "$id" running
        as "$owner" mlctl cancel "$id"
        within 120 in_state "$id" cancelled
    done
}

# The build is the one that the flags of the processor call for.
training() {
    local id log build
    training_job
    id=$(as ada sh -c 'cd train && mlctl submit job.toml')
    mlctl wait "$id"
    same "$(field "$id" state)" succeeded
    as ada test -s "/var/lib/mld/jobs/$id/output/model/weights.safetensors"
    log=$(as ada mlctl logs "$id")
    has "$log" "epoch 3/3"
    build=$(best_build)
    has "$log" "mltrain for $build, "
    echo "$build"
}

# best_build is the name of the build for this processor, by the kernel's list of what it can do: docs/training.md.
best_build() {
    local flags
    flags=" $(sed -n '/^flags/{s/.*: //p;q}' /proc/cpuinfo) "
    if has_flags avx512f avx512dq avx512cd avx512bw avx512vl; then echo skylake-avx512
    elif has_flags avx2 fma; then echo haswell
    else echo baseline; fi
}
has_flags() { local flag; for flag; do [[ $flags == *" $flag "* ]] || return 1; done; }

training_job() {
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
}
