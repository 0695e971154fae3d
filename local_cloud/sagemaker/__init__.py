"""SageMaker training and processing jobs on this machine: the API, and jobs that really run.

Usable with any state machine and any container code: nothing here knows the project it serves, and
`ministack` alone knows the emulator it sits behind. `service.SageMakerService` answers API calls,
`stepfunctions.run_task` the Step Functions integrations.

    api                     the actions by name            <- job_actions, tag_actions
    job_types               what is AWS's for each kind    <- training_*, processing_*
    support, support_table  honoured, ignored, refused: every member of a request
    shapes, *_request       the form of a request, and its meaning
    jobs, store, job_queue  the record of a job; all of them, durable; the threads that run them
    runner                  one job from start to end
      tasks                   its data and results          <- channels, artifacts, sync, opt_ml
      image_runners           its image                     <- images, environments, container
      job_log, metric_stream  what it says, live            <- batches, rights
    ministack               the touching points with the emulator
"""
