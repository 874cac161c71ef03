// ImportPipeline
